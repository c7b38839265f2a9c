"""One connection that sends much more than anybody needs: it waits for its turn, and is let go when it never reads."""

import itertools
import socket
import time
from collections.abc import Iterable, Iterator

import pytest
from esdbclient import EventStoreDBClient

from tests.infrastructure.embedded.eventstoredb.fuzz.canary import Canary
from tests.support.eventstore import EventStoreProcess, resident_bytes

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PING, SETTINGS, WINDOW_UPDATE, RESET, HEADERS, GOAWAY = 6, 4, 8, 3, 1, 7
END_HEADERS, ACKNOWLEDGED = 4, 1
FLOOD_SECONDS, LONGEST_FLOOD_SECONDS = 0.7, 30.0
# A POST of gRPC to the method Read, in the static table's indices and plain literals (RFC 7541).
REQUEST = b"\x83\x86\x04\x28/event_store.client.streams.Streams/Read\x0f\x10\x10application/grpc\x00\x02te\x08trailers"


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def resets() -> Iterator[bytes]:
    """Calls that are begun and taken back at once."""
    for number in itertools.count(1, 2):
        yield frame(HEADERS, END_HEADERS, number, REQUEST) + frame(RESET, 0, number, b"\0\0\0\x08")


FLOODS: dict[str, Iterable[bytes]] = {
    "pings": itertools.repeat(frame(PING, 0, 0, b"12345678") * 500),
    "settings": itertools.repeat(frame(SETTINGS, 0, 0) * 500),
    "windows": itertools.repeat(frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1") * 500),
    "calls taken back": resets(),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_others_go_on_beside_a_flood_and_memory_stays_bounded(flood: Iterable[bytes]) -> None:
    with EventStoreProcess(None) as process, Canary(process.uri) as canary, connect(process) as connection:
        before, heard = resident_bytes(process), canary.singing
        began = time.monotonic()
        for frames in flood:
            connection.sendall(frames)
            lasted = time.monotonic() - began
            if lasted > LONGEST_FLOOD_SECONDS or (lasted > FLOOD_SECONDS and canary.singing - heard > 3):
                break
        sung = canary.singing - heard
        assert resident_bytes(process) - before < 10_000_000
    assert sung > 3
    assert canary.longest < 5


def test_a_frame_of_an_unknown_kind_is_ignored() -> None:
    with EventStoreProcess(None) as process, connect(process) as connection:
        connection.sendall(frame(0xEE, 0, 0, b"grease") + frame(PING, 0, 0, b"12345678"))
        assert is_sent(connection, frame(PING, ACKNOWLEDGED, 0, b"12345678"))


def test_a_hundred_calls_may_be_open_on_a_connection() -> None:
    with EventStoreProcess(None) as process, connect(process) as connection:
        assert is_sent(connection, b"\x00\x03\x00\x00\x00\x64")


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_client_that_never_reads_the_answers_to_its_pings_is_let_go() -> None:
    with EventStoreProcess(None) as process, connect(process) as connection:
        with pytest.raises(ConnectionError):
            connection.sendall(frame(PING, 0, 0, b"12345678") * 10_000_000)
        with EventStoreDBClient(process.uri) as client:
            assert client.get_commit_position() == 0


def connect(process: EventStoreProcess) -> socket.socket:
    """A connection on which the library has said hello, with little room for what comes back."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(300)
    connection.connect(("127.0.0.1", process.port))
    connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
    return connection


def is_sent(connection: socket.socket, wanted: bytes) -> bool:
    """Whether this comes before the connection ends. Raises TimeoutError where nothing comes any more."""
    connection.settimeout(20)
    found = b""
    while wanted not in found and (piece := connection.recv(4096)):
        found += piece
    return wanted in found
