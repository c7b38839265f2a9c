"""Two connections are all that there may be: who gets them."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import httpx
import pytest

from tests.service.http.wire import ALIVE, GET, answer, connected, parsed, until_closed
from tests.support.service import FoldstreamProcess

CLOSE = b"Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def narrow(
    tmp_path_factory: pytest.TempPathFactory, eventstore_uri: str, redis_uri: str
) -> Iterator[FoldstreamProcess]:
    """The service with two connections, and with read models of its own."""
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": eventstore_uri,
        "FOLDSTREAM_REDIS_URI": redis_uri,
        "FOLDSTREAM_NAMESPACE": f"narrow-{uuid4().hex[:12]}",
        "FOLDSTREAM_CONNECTIONS": "2",
    }
    with FoldstreamProcess(tmp_path_factory.mktemp("narrow"), environment) as service:
        yield service


@contextmanager
def halted(pid: int) -> Iterator[None]:
    """A process that does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def await_answer(connection: socket.socket) -> None:
    """Leaves the answer where it is."""
    assert connection.recv(15, socket.MSG_PEEK) == b"HTTP/1.1 200 OK"


def test_a_connection_that_has_another_answer_to_get_does_not_rest(narrow: FoldstreamProcess) -> None:
    stock = f"/stock/{uuid4()}"
    with ExitStack() as opened:
        with halted(narrow.pid_of("projections")):
            received = httpx.post(f"{narrow.url}{stock}/receipts", json={"quantity": 1}, trust_env=False).json()
            busy = opened.enter_context(connected(narrow.url))
            query = f"GET {stock}?wait=30&at_least={received['position']} HTTP/1.1\r\nHost: a\r\n".encode()
            busy.sendall(GET + b"\r\n" + query + CLOSE)
            await_answer(busy)
            resting = opened.enter_context(connected(narrow.url))
            resting.sendall(GET + b"\r\n")
            await_answer(resting)
            assert answer(narrow.url, GET + CLOSE).body == ALIVE
            assert [each.body for each in parsed(until_closed(resting))] == [ALIVE]
        alive, level = parsed(until_closed(busy))
    assert (alive.body, level.json["on_hand"]) == (ALIVE, 1)
