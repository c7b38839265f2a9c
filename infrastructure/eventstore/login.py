"""The login that goes with each call to the event store."""

from base64 import b64encode
from typing import Final

import grpc
from esdbclient.common import BasicAuthCallCredentials
from esdbclient.connection_spec import ConnectionSpec

from infrastructure.eventstore.uri import require_valid
from infrastructure.uri import has_file
from infrastructure.uri_file import login_in, uri_file


def credentials_in(spec: ConnectionSpec) -> grpc.CallCredentials | None:
    """Those that go with a connection, of its file where its URI has one; none without TLS.

    The client would send them as they stand in the URI, percent-encoded.
    """
    if not spec.options.Tls:
        return None
    if has_file(spec.uri):
        return grpc.metadata_call_credentials(_LoginInFile(spec.uri))
    user, password = login_in(spec.uri)
    return grpc.metadata_call_credentials(BasicAuthCallCredentials(str(user), str(password)))


class _LoginInFile(grpc.AuthMetadataPlugin):
    """Asked for each call, in a thread of gRPC's."""

    def __init__(self, uri: str) -> None:
        self._file: Final = uri_file(uri, require_valid)
        self._uri = ""
        self._metadata: tuple[tuple[str, bytes], ...] = ()

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        uri = self._file.current()
        if uri != self._uri:
            user, password = login_in(uri)
            self._metadata = (("authorization", b"Basic " + b64encode(f"{user}:{password}".encode())),)
            self._uri = uri
        callback(self._metadata, None)
