"""Where the service listens: addresses that stay the same when a process behind them is started again."""

import errno
import os
import random
import socket
from pathlib import Path
from typing import Final

from service.errors import AddressUnusable

_LOWEST: Final = 10_240
_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, to be inherited: callers wait in its queue while the process that answers is restarted.

    Raises AddressUnusable.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        raise AddressUnusable(host, port, in_words(error)) from error


def in_words(error: Exception) -> str:
    """The reason why an address can't be listened on, in words."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the port is in use"
    if isinstance(error, OSError) and (error.errno or 0) < 0:  # of the resolver, not of the system
        return "there is no such host"
    return (os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)).lower()


def url_of(listening: socket.socket, *, by_tls: bool = False) -> str:
    """The URL at which this machine reaches a listening socket."""
    scheme, (host, port) = "https" if by_tls else "http", listening.getsockname()[:2]
    return f"{scheme}://{reached_at(host)}:{port}"


def reached_at(host: str) -> str:
    """The host of a URL at which this machine reaches what listens on an address."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{here}]" if ":" in here else here


def lasting_port() -> int:
    """A free port of 127.0.0.1 that no outgoing connection is given, so that a restarted server finds it free again."""
    ports = random.sample(range(_LOWEST, _first_outgoing()), 100)
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AddressUnusable("127.0.0.1", 0, "a hundred ports were tried, none of them is free")


def _first_outgoing() -> int:
    """Where the range begins from which the system gives ports to outgoing connections."""
    try:
        first = int(_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        first = 32_768
    return max(first, _LOWEST + 1_000)
