"""HTTP as bytes on a socket: what is sent, and every answer until the API closes the connection."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

GET: Final = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"
ALIVE: Final = b'{"status":"ok"}'


class Answer(NamedTuple):
    """One answer; its headers' names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def rule(self) -> str:
        """Which rule a problem names."""
        return str(self.json["rule"])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def connected(url: str, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A connection from this address of this machine."""
    address = urlsplit(url)
    port = address.port or 80
    with socket.create_connection((address.hostname or "", port), timeout=20, source_address=(source, 0)) as opened:
        yield opened


@contextmanager
def unreading(url: str) -> Iterator[socket.socket]:
    """A connection that takes in few bytes by itself."""
    address = urlsplit(url)
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        opened.settimeout(20)
        opened.connect((address.hostname or "", address.port or 80))
        yield opened


def answers(url: str, *sent: bytes, head: bool = False) -> list[Answer]:
    """Every answer to these bytes; the API has to close the connection. With `head` they have no bodies."""
    with connected(url) as connection:
        for part in sent:
            connection.sendall(part)
        return parsed(until_closed(connection), head=head)


def answer(url: str, *sent: bytes) -> Answer:
    """The only answer to these bytes."""
    [only] = answers(url, *sent)
    return only


def until_closed(connection: socket.socket) -> bytes:
    """All that comes before the other side closes it."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass  # it was closed while there was something left to read
    return received


def parsed(received: bytes, *, head: bool = False) -> list[Answer]:
    """The answers that these bytes are."""
    found = []
    while received:
        lines, _, rest = received.partition(b"\r\n\r\n")
        status, *fields = lines.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in fields)}
        length = 0 if head else int(headers.get("content-length", "0"))
        found.append(Answer(int(status.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return found
