"""Reads the URI of Redis: what the client would pass over, or stumble over at its first command, is refused."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

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
    without_file,
)

Address: TypeAlias = tuple[str, int]
"""A host, an IPv6 address without its brackets, and a port."""
_FORM: Final = "must be a URI such as redis://host:6379/0, rediss://…, redis+cluster://host:6379,… or unix:///path"
_OF_CLUSTER: Final = "+cluster"
_USUAL_PORT: Final = 6379
_MOST_DATABASES: Final = 2**31 - 1


def _any(_option: str, _value: str) -> None:
    """Every value can be used."""


def _verification(option: str, value: str) -> None:
    require_one_of(option, value, "none", "optional", "required")


def _truth(option: str, value: str) -> None:
    require_one_of(option, value.lower(), "true", "false", "yes", "no")


def _visible(option: str, value: str) -> None:
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError(f"has the option {option}, which should be of visible ASCII characters")


_Checks: TypeAlias = Mapping[str, Callable[[str, str], None]]
_OPTIONS: Final[_Checks] = {
    "db": partial(require_number, lowest=0, highest=_MOST_DATABASES),
    "username": _any,
    "password": _any,
    "client_name": _visible,
}
_TLS_OPTIONS: Final[_Checks] = {
    "ssl_ca_certs": require_authority,
    "ssl_certfile": require_readable,
    "ssl_keyfile": require_readable,
    "ssl_password": _any,
    "ssl_cert_reqs": _verification,
    "ssl_check_hostname": _truth,
}


def address_in(uri: str) -> str:
    """Where Redis is, and which database, without the credentials. Raises ValueError for an invalid URI."""
    parts = read_uri(without_file(uri))
    if is_cluster(uri):
        return f"{parts.scheme}://{parts.hosts}"
    named = parts.options.get("db")
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={named}" if named else f"unix://{parts.path}"
    database = named or parts.path.strip("/") or "0"
    return f"{parts.scheme}://{parts.hosts}/{database}"


def is_cluster(uri: str) -> bool:
    """Whether the URI is that of a Redis Cluster."""
    return uri.partition("://")[0].endswith(_OF_CLUSTER)


def nodes_in(uri: str) -> list[Address]:
    """The servers that the URI of a cluster names."""
    named = map(read_host, read_uri(without_file(uri)).hosts.split(","))
    return [(host.strip("[]"), _USUAL_PORT if port is None else port) for host, port in named]


def node_uri(uri: str, node: Address) -> str:
    """The URI of one server of the cluster, with the user, the password and the options that all of them take."""
    parts, (host, port) = urlsplit(uri), node
    login, at, _ = parts.netloc.rpartition("@")
    netloc = f"{login}{at}[{host}]:{port}" if ":" in host else f"{login}{at}{host}:{port}"
    return urlunsplit((parts.scheme.removesuffix(_OF_CLUSTER), netloc, "", parts.query, ""))


def require_valid(uri: str) -> None:
    """Raises ValueError, in words that repeat neither user nor password, for a URI that can't be used as it stands."""
    parts = read_uri(uri)
    if not re.match(r"rediss?(\+cluster)?://|unix://", uri):  # the client takes no capitals here
        raise ValueError(_FORM)
    known = {**_OPTIONS, **_TLS_OPTIONS} if parts.scheme.startswith("rediss") else _OPTIONS
    for name, value in parts.options.items():
        if name not in known:
            raise unknown_option(name, known)
        known[name](name, value)
    require_key_pair(parts.options, "ssl_certfile", "ssl_keyfile", "ssl_password")
    if parts.user is not None and {"username", "password"} & parts.options.keys():
        raise ValueError("has a user or a password both before its host and as an option")
    if parts.scheme == "unix":
        _require_path(parts)
    elif is_cluster(uri):
        _require_nodes(parts)
    else:
        _require_database(parts)


def _require_path(parts: ServerUri) -> None:
    if parts.hosts or parts.path in {"", "/"}:
        raise ValueError("must have the socket's whole path behind unix://, such as unix:///run/redis.sock")


def _require_nodes(parts: ServerUri) -> None:
    for host in parts.hosts.split(","):
        read_host(host)
    if parts.path not in {"", "/", "/0"} or int(parts.options.get("db", 0)):
        raise ValueError("names a database, of which a cluster has only 0")


def _require_database(parts: ServerUri) -> None:
    if "," in parts.hosts:
        raise ValueError("names several hosts; redis+cluster:// takes a list of nodes, redis:// one host")
    read_host(parts.hosts)
    if not re.fullmatch("/?|/[0-9]{1,9}", parts.path):
        raise ValueError("has a path that is not the number of a database, such as /0")
    if parts.path.strip("/") and "db" in parts.options:
        raise ValueError("has the number of its database both as its path and as the option db")
