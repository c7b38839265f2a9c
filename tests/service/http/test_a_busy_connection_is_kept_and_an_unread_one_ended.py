"""Two connections are all that there may be: who gets them."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import httpx
import pytest

from tests.service.http.wire import ALIVE, GET, answer, answers, connected, parsed, unreading, until_closed
from tests.support.callers import AUTHORIZATION_LINE, AUTHORIZED
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

DOCUMENT = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n"
SEND_TIMEOUTS = 'foldstream_http_connections_closed_total{reason="send-timeout"}'
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
        "FOLDSTREAM_SEND_SECONDS": "1",
        "FOLDSTREAM_KEEP_ALIVE_SECONDS": "3",
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
            received = httpx.post(
                f"{narrow.url}{stock}/receipts", json={"quantity": 1}, trust_env=False, headers=AUTHORIZED
            ).json()
            busy = opened.enter_context(connected(narrow.url))
            query = (
                f"GET {stock}?wait=30&at_least={received['position']} HTTP/1.1\r\nHost: a\r\n".encode()
                + AUTHORIZATION_LINE
            )
            busy.sendall(GET + b"\r\n" + query + CLOSE)
            await_answer(busy)
            resting = opened.enter_context(connected(narrow.url))
            resting.sendall(GET + b"\r\n")
            await_answer(resting)
            assert answer(narrow.url, GET + CLOSE).body == ALIVE
            assert [each.body for each in parsed(until_closed(resting))] == [ALIVE]
        alive, level = parsed(until_closed(busy))
    assert (alive.body, level.json["on_hand"]) == (ALIVE, 1)


def test_clients_that_do_not_read_lock_nobody_out(narrow: FoldstreamProcess) -> None:
    with ExitStack() as opened:
        for _ in range(2):
            opened.enter_context(unreading(narrow.url)).sendall((DOCUMENT + b"\r\n") * 51)
        poll_until(lambda: answers(narrow.url, GET + CLOSE), seconds=10, what="the answer for another")


def test_a_client_that_does_not_read_is_ended(narrow: FoldstreamProcess) -> None:
    before = _metric(narrow, SEND_TIMEOUTS)
    with unreading(narrow.url) as connection:
        connection.sendall((DOCUMENT + b"\r\n") * 51)
        poll_until(lambda: _metric(narrow, SEND_TIMEOUTS) == before + 1, seconds=10, what="its end")
    assert [line for line in narrow.process.errors if "Exception in ASGI" in line] == []


def test_a_client_that_reads_on_gets_all(narrow: FoldstreamProcess) -> None:
    document = httpx.get(f"{narrow.url}/openapi.json", trust_env=False).content
    with unreading(narrow.url) as slow:
        slow.sendall((DOCUMENT + b"\r\n") * 40 + DOCUMENT + CLOSE)
        answered = parsed(until_closed(slow))
    assert [each.body for each in answered] == [document] * 41


def test_a_connection_whose_request_was_answered_before_its_body_came_rests_afterwards(
    narrow: FoldstreamProcess,
) -> None:
    with connected(narrow.url) as connection:
        connection.sendall(GET + b"Content-Length: 1\r\n\r\n")
        await_answer(connection)
        connection.sendall(b"x")
        assert [each.body for each in parsed(until_closed(connection))] == [ALIVE]


def _metric(service: FoldstreamProcess, series: str) -> float:
    text = httpx.get(f"{service.url}/metrics", trust_env=False, headers=AUTHORIZED).text
    found = re.search(f"^{re.escape(series)} (.+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0
