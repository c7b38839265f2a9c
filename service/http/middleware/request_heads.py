"""Refuses heads of requests that HTTP does not allow, or that ask for what is not spoken here."""

import re
from collections.abc import Sequence
from typing import Final

from service.http.middleware.metrics import METHODS
from service.http.problems import Problem

_REFUSED: Final = ("TRACE",)  # known by its name, as scanners expect it, and had by no path
_VERSIONS: Final = ("1.0", "1.1")
_HOST: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?]+)(.*)")


def unreadable(reason: str) -> Problem:
    """The refusal of what HTTP does not know."""
    return Problem("bad-request", f"The request {reason}.")


def no_target() -> Problem:
    """The refusal of a target that no request may have."""
    return unreadable("asks for what can't be a target: that is / and ASCII characters, others percent-encoded")


def path_of(method: str, target: bytes) -> bytes:
    """The path, with its query, that a target asks for, also one with a host before it (RFC 9112, 3.2).

    Raises Problem `bad-request`.
    """
    if b"#" in target:
        raise unreadable("asks for a target with a fragment, from # on, which is for its client alone")
    if target.startswith(b"/"):
        return target
    if target == b"*":
        if method != "OPTIONS":
            raise unreadable("asks for *, which only OPTIONS can")
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not _HOST.fullmatch(absolute[1]):
        raise no_target()
    if not absolute[2]:
        return b"*" if method == "OPTIONS" else b"/"
    return absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]


def require_version(version: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raises Problem `unsupported-http-version` for all but 1.0 and 1.1 (RFC 9110, 15.6.6).

    Raises `bad-request` for a transfer encoding in HTTP/1.0: its sender may mean another end (RFC 9112, 6.1).
    """
    if version not in _VERSIONS:
        raise unsupported_version()
    if version == "1.0" and any(name == b"transfer-encoding" for name, _ in headers):
        raise unreadable("has a Transfer-Encoding, which HTTP/1.0 does not know")


def unsupported_version() -> Problem:
    """The refusal of a version of HTTP that is not spoken here."""
    return Problem("unsupported-http-version", f"HTTP is spoken here in the versions {' and '.join(_VERSIONS)}.")


def require_method(method: str) -> None:
    """Raises Problem `unknown-method` for one that is not known here (RFC 9110, 9.1)."""
    if method not in (*METHODS, *_REFUSED):
        raise unknown_method()


def unknown_method() -> Problem:
    """The refusal of a method that no path here has. Where others have it, that is `method-not-allowed`."""
    return Problem("unknown-method", f"These methods are known here, in capitals: {', '.join(METHODS)}.")


def require_host(headers: Sequence[tuple[bytes, bytes]], version: str) -> None:
    """Raises Problem `bad-request` unless the host is named once; HTTP/1.0 need not name it (RFC 9112, 3.2)."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version != "1.0"):
        raise unreadable("has to name its host, once")
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise unreadable("names a host that can't be one")
