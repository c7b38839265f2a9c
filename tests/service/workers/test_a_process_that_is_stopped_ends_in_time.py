"""SIGTERM ends each process in order and in time, though its servers say nothing; what hangs is ended hard."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from time import monotonic
from typing import Final

import httpx
import pytest

from service.addresses import lasting_port
from service.workers.lifetime import STOP_SECONDS, thread_stop_event
from tests.service.http.wire import connected, parsed, until_closed
from tests.service.servers import NOWHERE
from tests.support.callers import AUTHORIZED, KEY
from tests.support.eventstore import EventStoreProcess
from tests.support.forked import forking
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.proxy import Proxy
from tests.support.redis import RedisProcess

forking(__name__)
LIVE: Final = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
HANGING_SECONDS: Final = 1.0


def is_ok(url: str, path: str) -> bool:
    try:
        return bool(httpx.get(url + path, timeout=20, trust_env=False, headers=AUTHORIZED).json()["status"] == "ok")
    except httpx.TransportError:
        return False


@pytest.fixture
def silenced() -> Iterator[dict[str, Listened]]:
    """All processes of a service, whose servers have just fallen silent."""
    with ExitStack() as opened:
        server = opened.enter_context(EventStoreProcess(None))
        rows = RedisProcess().start()
        opened.callback(rows.close)
        store = opened.enter_context(Proxy(("127.0.0.1", server.port)))
        redis = opened.enter_context(Proxy(rows.uri.removeprefix("unix://")))
        port = lasting_port()
        environment = {
            "FOLDSTREAM_EVENTSTORE_URI": f"esdb://127.0.0.1:{store.port}?tls=false",
            "FOLDSTREAM_REDIS_URI": f"redis://127.0.0.1:{redis.port}/0",
            "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY),
        }
        commands = {"api": ("api", "--port", str(port)), "projections": ("projections",), "sagas": ("sagas",)}
        processes = {name: Listened((*FOLDSTREAM, *each), environment) for name, each in commands.items()}
        for process in processes.values():
            opened.callback(process.kill)
        poll_until(lambda: is_ok(f"http://127.0.0.1:{port}", "/health/ready"), seconds=60, what="the service")
        store.go_silent()
        redis.go_silent()
        yield processes


def test_each_ends_while_its_servers_are_silent(silenced: dict[str, Listened]) -> None:
    began = monotonic()
    for process in silenced.values():
        process.send(signal.SIGTERM)
    codes = {name: process.wait(within=30) for name, process in silenced.items()}
    assert (codes, monotonic() - began < STOP_SECONDS) == (dict.fromkeys(silenced, 0), True)
    said = [line for process in silenced.values() for line in process.errors]
    assert [line for line in said if "exception" in line or "stop_overdue" in line] == []


def hang(seconds: float) -> None:
    thread_stop_event(seconds).wait()
    signal.pause()


def test_one_that_hangs_is_ended_hard_and_says_so() -> None:
    process = Listened(partial(hang, HANGING_SECONDS), {})
    poll_until(lambda: _takes_signals(process.pid), seconds=20, what="a process that takes the signal")
    process.send(signal.SIGTERM)
    assert process.wait(within=20) == 1
    assert [line for line in process.errors + process.output if "stop_overdue" in line] != []


def _takes_signals(pid: int) -> bool:
    """Whether SIGTERM has a handler."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
    return bool(caught & 1 << (signal.SIGTERM - 1))


def test_a_connection_that_rests_gets_the_answer_to_what_was_on_its_way() -> None:
    port = lasting_port()
    url = f"http://127.0.0.1:{port}"
    process = Listened((*FOLDSTREAM, "api", "--port", str(port)), {**NOWHERE, "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)})
    try:
        poll_until(lambda: is_ok(url, "/health/live"), seconds=30, what="the API")
        with connected(url) as used, connected(url) as unused:
            used.sendall(LIVE)
            first = used.recv(65_536)
            process.send(signal.SIGTERM)
            poll_until(lambda: _is_refused(port), seconds=10, what="the end of listening")
            for connection in (used, unused):
                connection.sendall(LIVE)
            answers = [parsed(until_closed(connection)) for connection in (used, unused)]
        assert first.startswith(b"HTTP/1.1 200 ")
        assert [(each.status, each.headers["connection"]) for [each] in answers] == [(200, "close")] * 2
        assert process.wait(within=20) == 0
    finally:
        process.kill()


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False
