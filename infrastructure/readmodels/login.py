"""The login that begins each connection to Redis."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from redis.credentials import CredentialProvider

from infrastructure.readmodels.uri import Address, node_uri, require_valid
from infrastructure.uri import has_file, without_file
from infrastructure.uri_file import login_in, uri_file

_LOGIN_OPTIONS: Final = ("username=", "password=")


def with_login(uri: str, node: Address | None = None) -> tuple[str, Mapping[str, Any]]:
    """What a client is made from: one server's URI, of a cluster its `node`'s, and an option for a login in a file."""
    server = without_file(uri if node is None else node_uri(uri, node))
    if not has_file(uri):
        return server, {}
    return _without_login(server), {"credential_provider": _LoginInFile(uri)}


class _LoginInFile(CredentialProvider):
    def __init__(self, uri: str) -> None:
        self._file: Final = uri_file(uri, require_valid)

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """A user and a password, a password, or nothing, for the next connection."""
        user, password = login_in(self._file.current())
        if user:
            return user, password or ""
        return (password,) if password else ()  # type: ignore[return-value]  # redis then sends no login

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """The same: a look at a small file."""
        return self.get_credentials()


def _without_login(uri: str) -> str:
    parts = urlsplit(uri)
    options = "&".join(each for each in parts.query.split("&") if not each.startswith(_LOGIN_OPTIONS))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' if options else ''}{options}"
