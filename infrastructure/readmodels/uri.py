"""Reads the URI of Redis: what the client would pass over, or stumble over at its first command, is refused."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

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

_FORM: Final = "must be a URI such as redis://host:6379/0, rediss://… or unix:///path"
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
    parts = read_uri(uri)
    named = parts.options.get("db")
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={named}" if named else f"unix://{parts.path}"
    database = named or parts.path.strip("/") or "0"
    return f"{parts.scheme}://{parts.hosts}/{database}"


def require_valid(uri: str) -> None:
    """Raises ValueError, in words that repeat neither user nor password, for a URI that can't be used as it stands."""
    parts = read_uri(uri)
    if not uri.startswith(("redis://", "rediss://", "unix://")):  # the client takes no capitals here
        raise ValueError(_FORM)
    known = {**_OPTIONS, **_TLS_OPTIONS} if parts.scheme == "rediss" else _OPTIONS
    for name, value in parts.options.items():
        if name not in known:
            raise unknown_option(name, known)
        known[name](name, value)
    require_key_pair(parts.options, "ssl_certfile", "ssl_keyfile", "ssl_password")
    if parts.user is not None and {"username", "password"} & parts.options.keys():
        raise ValueError("has a user or a password both before its host and as an option")
    (_require_path if parts.scheme == "unix" else _require_database)(parts)


def _require_path(parts: ServerUri) -> None:
    if parts.hosts or parts.path in {"", "/"}:
        raise ValueError("must have the socket's whole path behind unix://, such as unix:///run/redis.sock")


def _require_database(parts: ServerUri) -> None:
    read_host(parts.hosts)
    if not re.fullmatch("/?|/[0-9]{1,9}", parts.path):
        raise ValueError("has a path that is not the number of a database, such as /0")
    if parts.path.strip("/") and "db" in parts.options:
        raise ValueError("has the number of its database both as its path and as the option db")
