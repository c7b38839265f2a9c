"""Callers are sent away, not queued without end, when there are too many of them."""

import re
import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from projections import order_summary
from service.settings import Settings
from service.workers.projections import deployment_of
from tests.infrastructure.eventstore.silent_store import Call, SilentStore, running, silent
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.http.api_server import away, serving
from tests.service.http.shop import assert_refused, order_form
from tests.support.callers import AUTHORIZED
from tests.support.polling import poll_until

NO_TURN = "Its turn did not come within 3.0 s; come back later."
_ORDER = re.compile(rb"order-[0-9a-f-]{36}")
_APPEND = b"\n&\x12$"  # how one begins: with its correlation id
_IDENTITY = b"foldstream-store-identity"
"""A part of what queries ask the store for, and commands only once they were appended."""
FULL = "{} requests of this kind are being worked on; come back later."


@pytest.mark.parametrize(("at_once", "waiting"), [(1, 0), (1, 2)])
def test_commands_beyond_those_at_work_and_waiting_are_refused(at_once: int, waiting: int) -> None:
    places = at_once + waiting
    settings = {"commands_at_once": at_once, "commands_waiting": waiting, "command_seconds": 4}
    with silent() as address, serving(away(eventstore_uri=f"esdb://{address}?tls=false", **settings)) as http:
        answers = _at_once(places + 2, lambda: http.post("/orders", json=order_form()))
    assert [answer.status_code for answer in answers] == [429] * (2 + waiting) + [503] * at_once
    assert Counter(answer.json()["detail"] for answer in answers[:-at_once]) == Counter(
        {FULL.format(places): 2} | ({NO_TURN: waiting} if waiting else {})
    )
    full = next(answer for answer in answers if answer.json()["detail"] == FULL.format(places))
    assert_refused(full, 429, "overloaded", FULL.format(places))
    assert full.headers["Retry-After"] == "1"


def test_queries_beyond_those_that_are_answered_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_redis:
        uri = f"redis://127.0.0.1:{silent_redis.getsockname()[1]}"
        with serving(away(redis_uri=uri, queries_at_once=1, read_seconds=2)) as narrow:
            answers = _at_once(2, lambda: narrow.get(f"/orders/{uuid4()}"))
            assert [answer.status_code for answer in answers] == [429, 503]
            assert_refused(answers[0], 429, "overloaded", FULL.format(1))
            assert narrow.get(f"/orders/{uuid4()}").json()["rule"] == "read-model-unavailable"


def test_queries_that_wait_take_no_place_of_those_that_are_answered(eventstore_uri: str, redis_uri: str) -> None:
    """Nobody folds the order, whose token is in the log: queries for it wait as long as they may."""
    namespace = f"waiting-{uuid4().hex[:12]}"
    settings = Settings(
        eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace, queries_at_once=4, queries_waiting=2
    )
    unknown = f"/orders/{uuid4()}"
    with serving(settings) as http, ThreadPoolExecutor(4) as threads:
        with ThreadWorker(deployment_of(settings), order_summary.projection):
            poll_until(lambda: http.get(unknown).status_code == 404, seconds=20, what="the read model")
        placed = http.post("/orders", json=order_form()).json()
        path = f"/orders/{placed['id']}?at_least={placed['position']}&wait=6"
        queries = [threads.submit(http.get, path) for _ in range(4)]
        poll_until(lambda: sum(query.done() for query in queries) == 2, seconds=5, what="the refusals")
        assert http.get(unknown).status_code == 404
        assert sum(query.done() for query in queries) == 2
    answers = sorted((query.result() for query in queries), key=lambda answer: answer.status_code)
    assert [answer.json()["rule"] for answer in answers] == ["overloaded"] * 2 + ["read-model-behind"] * 2
    assert_refused(answers[0], 429, "overloaded", FULL.format(2))


def test_queries_that_wait_share_their_questions_to_the_store(redis_uri: str, namespace: str, api: str) -> None:
    """It takes a hundred calls at once of a connection; the next one would be stuck without a word. Commands have a
    connection of their own."""
    store = SilentStore()
    path = f"/orders/{uuid4()}?at_least={2**63}&wait=4"
    with (
        running(store) as uri,
        serving(away(eventstore_uri=uri, redis_uri=redis_uri, namespace=namespace)) as narrow,
        _wide(narrow) as http,
        ThreadPoolExecutor(121) as threads,
    ):
        queries = [threads.submit(http.get, path) for _ in range(120)]
        poll_until(lambda: _connections_of_queries(store), seconds=10, what="queries that ask the store")
        command = threads.submit(http.post, "/orders", json=order_form())
        asked, *_ = poll_until(lambda: _of_commands(store.seen), seconds=10, what="the command's call")
    assert {query.result().json()["rule"] for query in queries} == {"read-model-behind"}
    assert command.result().json()["rule"] == "store-unavailable"
    assert max(store.most_held.values()) < 10
    assert asked.connection not in _connections_of_queries(store)


def _connections_of_queries(store: SilentStore) -> set[str]:
    """Of those that read which store it is; what probes whether it takes appends goes where commands go."""
    reads = [call for call in store.seen if not call.request.startswith(_APPEND)]
    return {call.connection for call in reads if _IDENTITY in call.request}


def _wide(http: httpx.Client) -> httpx.Client:
    """A client that opens as many connections as it is asked for."""
    limits = httpx.Limits(max_connections=None)
    return httpx.Client(base_url=http.base_url, timeout=40, trust_env=False, headers=AUTHORIZED, limits=limits)


def _of_commands(calls: list[Call]) -> list[Call]:
    """Those about one order: the call that appends, and looks into its stream. Queries name patterns of streams."""
    return [call for call in calls if _ORDER.search(call.request)]


def _orders_in(store: SilentStore) -> set[bytes]:
    """The orders that commands have asked the store about."""
    return {_ORDER.findall(call.request)[0] for call in _of_commands(store.seen)}


@pytest.mark.parametrize("at_once", [3, 80])
def test_as_many_commands_as_the_setting_says_are_worked_on(at_once: int) -> None:
    store = SilentStore()
    with (
        running(store) as uri,
        serving(away(eventstore_uri=uri, commands_at_once=at_once, commands_waiting=0, command_seconds=10)) as http,
        ThreadPoolExecutor(90) as threads,
    ):
        at_work = [threads.submit(http.post, "/orders", json=order_form()) for _ in range(at_once)]
        poll_until(lambda: len(_orders_in(store)) == at_once, seconds=10, what="all that are worked on")
        beyond = [threads.submit(http.post, "/orders", json=order_form()) for _ in range(90 - at_once)]
        answered = [Counter(command.result().status_code for command in commands) for commands in (beyond, at_work)]
    assert answered == [{429: 90 - at_once}, {503: at_once}]
    assert len(_orders_in(store)) == at_once
    # as many again whose end the store has not noticed yet, and the search for the store
    assert max(store.most_held.values()) <= 2 * at_once + 1


def test_a_call_gets_a_part_of_the_seconds_that_a_command_has() -> None:
    """So that there is time for another one, where the first was lost."""
    store = SilentStore()
    order_id = str(uuid4())
    with running(store) as uri, serving(away(eventstore_uri=uri, command_seconds=1)) as http:
        assert http.post("/orders", json=order_form(id=order_id)).status_code == 503
    assert [order_id.encode() in call.request for call in _of_commands(store.seen)] == [True, True]


def _at_once(times: int, request: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(times) as threads:
        answers = threads.map(lambda _: request(), range(times))
    return sorted(answers, key=lambda answer: answer.status_code)
