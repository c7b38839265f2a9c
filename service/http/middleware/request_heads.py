"""Refuses heads of requests that can't be read as HTTP/1.1, or are larger than they may be."""

import re
from collections.abc import Sequence
from typing import Final

from service.http.problems import Problem

_HOST: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")


def too_large(detail: str) -> Problem:
    """The refusal of a head for its size."""
    return Problem("head-too-large", detail)


def unreadable(reason: str) -> Problem:
    """The refusal of what HTTP does not know."""
    return Problem("bad-request", f"The request {reason}.")


def require_host(headers: Sequence[tuple[bytes, bytes]], version: str) -> None:
    """Raises Problem `bad-request` unless the host is named once; HTTP/1.0 need not name it (RFC 9112, 3.2)."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version != "1.0"):
        raise unreadable("has to name its host, once")
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise unreadable("names a host that can't be one")
