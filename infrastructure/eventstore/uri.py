"""Reads the URI of an event store: what the client would pass over, or stumble over later, is refused."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from infrastructure.uri import (
    ServerUri,
    read_host,
    read_uri,
    require_authority,
    require_key_pair,
    require_number,
    require_one_of,
    require_readable,
    unknown_option,
)

_FORM: Final = "must be a URI such as esdb://host:2113?tls=false or esdb+discover://name:2113"
_MOST_MILLISECONDS: Final = 3_600_000


def _numbered(lowest: int, highest: int) -> Callable[[str, str], None]:
    return partial(require_number, lowest=lowest, highest=highest)


def _truth(option: str, value: str) -> None:
    require_one_of(option, value.lower(), "true", "false")


def _verified(option: str, value: str) -> None:
    if value.lower() != "true":
        raise ValueError(f"has the option {option}: certificates are always verified; tlsCaFile names who signed them")


def _leader(option: str, value: str) -> None:
    if value.lower() != "leader":
        raise ValueError(f"has the option {option}, which can only be leader: decisions need the newest events")


def _header(option: str, value: str) -> None:
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"has the option {option}, which should be of visible ASCII characters")


_OPTIONS: Final[Mapping[str, Callable[[str, str], None]]] = {
    "tls": _truth,
    "tlsCaFile": require_authority,
    "tlsVerifyCert": _verified,
    "userCertFile": require_readable,
    "userKeyFile": require_readable,
    "connectionName": _header,
    "nodePreference": _leader,
    "maxDiscoverAttempts": _numbered(1, 1_000),
    "discoveryInterval": _numbered(1, 60_000),
    "gossipTimeout": _numbered(1, 60),
    "keepAliveInterval": _numbered(1, _MOST_MILLISECONDS),
    "keepAliveTimeout": _numbered(1, _MOST_MILLISECONDS),
    "defaultDeadline": _numbered(1, 3_600),
}


def address_in(uri: str) -> str:
    """Where the store is, without the credentials. Raises ValueError for an invalid URI."""
    from esdbclient.connection_spec import ConnectionSpec  # noqa: PLC0415 - it loads gRPC, and settings are read without

    return ",".join(ConnectionSpec(uri).targets)


def require_valid(uri: str) -> None:
    """Raises ValueError, in words that repeat neither user nor password, for a URI that can't be used as it stands."""
    parts = read_uri(uri)
    if parts.scheme not in {"esdb", "esdb+discover"}:
        raise ValueError(_FORM)
    _require_hosts(parts)
    if parts.path not in {"", "/"}:
        raise ValueError("has a path; behind the port only ?options may follow")
    options = _known_options(parts.options)
    _require_login(parts, secure=options.get("tls", "true").lower() == "true")
    require_key_pair(options, "userCertFile", "userKeyFile")


def _known_options(given: Mapping[str, str]) -> Mapping[str, str]:
    known = {name.lower(): name for name in _OPTIONS}
    options: dict[str, str] = {}
    for name, value in given.items():
        if name.lower() not in known:
            raise unknown_option(name, _OPTIONS)
        options[known[name.lower()]] = value
    for name, value in options.items():
        _OPTIONS[name](name, value)
    return options


def _require_hosts(parts: ServerUri) -> None:
    hosts = parts.hosts.split(",")
    if parts.scheme == "esdb+discover" and len(hosts) > 1:
        raise ValueError("names several hosts; esdb+discover:// takes one name, esdb:// a list of nodes")
    for host, port in map(read_host, hosts):
        if host.startswith("[") and port is None:
            raise ValueError("has an IPv6 address without its port, such as [::1]:2113")


def _require_login(parts: ServerUri, *, secure: bool) -> None:
    if secure and not (parts.user and parts.password):
        raise ValueError("needs a user and a password before its host, as TLS is used; tls=false turns it off")
    if ":" in (parts.user or ""):
        raise ValueError("has a : in the user's name, where the event store can't be told where the name ends")
