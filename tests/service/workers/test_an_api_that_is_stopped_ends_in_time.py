"""The API is stopped while clients do not read, do not send, and wait: it ends in its time, without a traceback."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Final
from uuid import uuid4

import httpx

from service.addresses import lasting_port
from tests.service.http.wire import connected, parsed, unreading, until_closed
from tests.service.servers import NOWHERE
from tests.support.callers import AUTHORIZATION_LINE, AUTHORIZED, KEY
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

SLOW_READERS: Final = 300
STOP_SECONDS: Final = 9.0  # of the ten that the supervisor leaves to it
CUT_SHORT: Final = "Cancel N running task(s), timeout graceful shutdown exceeded"
DOCUMENT: Final = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
HALF_A_BODY: Final = b'POST /accounts HTTP/1.1\r\nHost: a\r\n%bContent-Length: 100\r\n\r\n{"own' % AUTHORIZATION_LINE
HEAD: Final = b"POST /stock/a/receipts HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n"
DEPOSIT: Final = HEAD + AUTHORIZATION_LINE + b'\r\n{"quantity":1}'
UNTOLD: Final = ("request_answered", "outage_", "revocations_unread")
TWO_DONE: Final = 'foldstream_commands_total{command="ReceiveStock",outcome="appended"} 2.0'
# Of what a client does not read, the system keeps little: so a short answer is one that is too long.
RUN_NARROW: Final = (
    "import os, socket, sys\n"
    "listening = socket.create_server(('127.0.0.1', int(sys.argv[1])), backlog=1000)\n"
    "listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)\n"
    "os.set_inheritable(listening.fileno(), True)\n"
    "os.execv(sys.argv[2], [*sys.argv[2:], 'api', '--listen', str(listening.fileno())])"
)


@contextmanager
def api(environment: Mapping[str, str]) -> Iterator[tuple[Listened, str]]:
    """The API by itself, and where it answers."""
    port = lasting_port()
    url = f"http://127.0.0.1:{port}"
    given = {"FOLDSTREAM_DEVELOPMENT_KEY": str(KEY), **environment}
    process = Listened((sys.executable, "-c", RUN_NARROW, str(port), *FOLDSTREAM), given)
    try:
        poll_until(lambda: _is_alive(url), seconds=30, what="the API")
        yield process, url
    finally:
        process.kill()


def _is_alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def stopped(process: Listened, number: signal.Signals, since: int | None = None) -> list[str]:
    """The lines in the log of a process that is stopped in order and in time, but those of answers and of what is away.

    With N for numbers; from now on, or after the first `since` of all its lines.
    """
    before = len(process.errors) if since is None else since
    began = monotonic()
    process.send(number)
    assert process.wait(within=30) == 0
    assert monotonic() - began < STOP_SECONDS
    said = [json.loads(line) for line in process.errors[before:]]
    assert [line for line in said if "exception" in line] == []
    events = [line["event"] for line in said if not line["event"].startswith(UNTOLD)]
    return [re.sub(r"\d+", "N", event) for event in events]


def test_clients_that_do_not_read_are_ended() -> None:
    with api(NOWHERE) as (process, url), ExitStack() as opened:
        for _ in range(SLOW_READERS):
            opened.enter_context(unreading(url)).sendall(DOCUMENT * 2)
        for begun in (b"GET /", HALF_A_BODY):
            opened.enter_context(connected(url)).sendall(begun)
        poll_until(lambda: _is_alive(url), seconds=30, what="an answer for another")
        lines = stopped(process, signal.SIGTERM)
    assert lines == ["connection_closed", CUT_SHORT]


def test_histories_and_commands_under_way_are_answered(redis_uri: str) -> None:
    with EventStoreProcess(None) as store, api(_patient(store.uri, redis_uri)) as (process, url), ExitStack() as opened:
        httpx.post(
            f"{url}/stock/a/receipts", json={"quantity": 1}, trust_env=False, headers=AUTHORIZED
        ).raise_for_status()
        os.kill(store.process.pid, signal.SIGSTOP)
        history = b"GET /history/stock:a HTTP/1.1\r\nHost: a\r\n%b\r\n" % AUTHORIZATION_LINE
        connections = [opened.enter_context(connected(url)) for _ in range(3)]
        for connection, sent in zip(connections, (history, DEPOSIT, HALF_A_BODY), strict=True):
            connection.sendall(sent)
        assert _is_alive(url)
        lines = stopped(process, signal.SIGINT)
        answers = [parsed(until_closed(connection)) for connection in connections]
    said = [(answer.status, answer.rule, answer.headers["retry-after"]) for [answer] in answers]
    assert said == [(503, "store-unavailable", "1")] * 3
    assert lines == [CUT_SHORT]


def test_a_query_and_a_command_that_wait_are_answered(redis_uri: str) -> None:
    """They are the only requests under way, and wait for events that no worker folds any more; the command was done."""
    with EventStoreProcess(None) as store, ExitStack() as opened:
        environment = _patient(store.uri, redis_uri) | {"FOLDSTREAM_QUERIES_WAITING": "2"}
        worker = Listened((*FOLDSTREAM, "projections"), environment)
        opened.callback(worker.kill)
        process, url = opened.enter_context(api(environment))
        poll_until(lambda: _asked(url).status_code == 404, seconds=60, what="a read model without the article")
        worker.kill()
        token = httpx.post(f"{url}/stock/a/receipts", json={"quantity": 1}, trust_env=False, headers=AUTHORIZED).json()[
            "position"
        ]
        query, command = (opened.enter_context(connected(url)) for _ in range(2))
        command.sendall(DEPOSIT.replace(b"/a/receipts", b"/b/receipts?consistency=stock_levels&wait=25"))
        poll_until(lambda: TWO_DONE in _metrics(url), seconds=20, what="the command")
        head = f"GET /stock/a?wait=25&at_least={token} HTTP/1.1\r\nHost: a\r\n".encode()
        query.sendall(head + AUTHORIZATION_LINE + b"\r\n")
        poll_until(lambda: _asked(url, at_least=token).status_code == 429, seconds=20, what="no place to wait")
        lines = stopped(process, signal.SIGTERM)
        [asked], [done] = (parsed(until_closed(connection)) for connection in (query, command))
    assert (asked.status, asked.rule, asked.headers["retry-after"]) == (503, "read-model-unavailable", "1")
    assert (done.status, done.headers["location"], done.headers["connection"]) == (202, "/stock/b", "close")
    assert lines == [CUT_SHORT]


def test_one_that_is_told_twice_stops_as_well() -> None:
    with api(NOWHERE) as (process, url), connected(url) as half_sent:
        half_sent.sendall(HALF_A_BODY)
        before = len(process.errors)
        process.send(signal.SIGINT)
        poll_until(lambda: not _is_alive(url), seconds=5, what="the first stop")
        assert stopped(process, signal.SIGINT, since=before) == [CUT_SHORT]
        assert [answer.status for answer in parsed(until_closed(half_sent))] == [503]


def _metrics(url: str) -> str:
    return httpx.get(f"{url}/metrics", trust_env=False, headers=AUTHORIZED).text


def _asked(url: str, **freshness: str) -> httpx.Response:
    """A query of an article, by itself."""
    return httpx.get(f"{url}/stock/a", params=freshness, trust_env=False, headers=AUTHORIZED)


def _patient(store: str, redis: str) -> dict[str, str]:
    """An environment in which requests wait longer than a stop may take."""
    return {
        "FOLDSTREAM_EVENTSTORE_URI": store,
        "FOLDSTREAM_REDIS_URI": redis,
        "FOLDSTREAM_NAMESPACE": f"stopped-{uuid4().hex[:12]}",
        "FOLDSTREAM_COMMAND_SECONDS": "60",
        "FOLDSTREAM_HISTORY_SECONDS": "60",
    }
