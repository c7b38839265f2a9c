"""Reads the URI of an event store: where it is, and which files it names."""

from collections.abc import Mapping

from esdbclient.connection_spec import ConnectionSpec


def address_in(uri: str) -> str:
    """Where the store is, without the credentials. Raises ValueError for an invalid URI."""
    return ",".join(ConnectionSpec(uri).targets)


def files_in(uri: str) -> Mapping[str, str]:
    """The files that must be readable, by the options that name them. Raises ValueError for an invalid URI."""
    options = ConnectionSpec(uri).options
    named = {
        "tlsCaFile": options.TlsCaFile,
        "userCertFile": options.UserCertFile,
        "userKeyFile": options.UserKeyFile,
    }
    return {name: file for name, file in named.items() if file is not None}
