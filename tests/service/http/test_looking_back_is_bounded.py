"""Looks back are bounded: in number, in time, and in what a store that is away or slow can hold up."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import structlog

from domain.accounts.account import MoneyDeposited
from infrastructure.history.trace import PART
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.eventstore.silent_store import SilentStore, UnreadableStore, running
from tests.infrastructure.history.ledger import CODEC, deposited, metadata, stored, told
from tests.service.http.api_server import away, serving
from tests.service.http.faults import NO_TOKEN
from tests.service.http.shop import assert_malformed, assert_refused
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

PATHS = (
    "account-0",
    "account-0/as-of?version=0",
    "account-0/as-of?at=2026-03-01T15:00:00Z",
    "account-0/changes",
    f"trace/{uuid4()}",
)
ESTABLISHED = "01"
NO_TURN = "Its turn did not come within 4.5 s; come back later."
FULL = "9 requests of this kind are being worked on; come back later."
AWAY = "The event store can't be used at present."


def test_a_store_that_is_away() -> None:
    with serving(away()) as http:
        for path in PATHS:
            began = time.monotonic()
            answer = http.get(f"/history/{path}")
            assert time.monotonic() - began < 8
            assert_refused(answer, 503, "store-unavailable", AWAY)
            assert answer.headers["Retry-After"] == "1"


def test_a_store_that_is_silent_is_waited_for_as_long_as_the_setting_says() -> None:
    """It takes what is noted of who looks back, for which there is another time, and answers no read."""
    store = UnreadableStore()
    settings = {"histories_at_once": len(PATHS), "history_seconds": 2}
    with (
        running(store) as uri,
        serving(away(eventstore_uri=uri, **settings)) as http,
        ThreadPoolExecutor(len(PATHS)) as threads,
    ):
        began = time.monotonic()
        answers = list(threads.map(http.get, [f"/history/{path}" for path in PATHS]))
        assert 1 < time.monotonic() - began < 8
        poll_until(lambda: not store.held, seconds=10, what="the end of the calls")
    for answer in answers:
        assert_refused(answer, 503, "store-unavailable", AWAY)


def test_the_reason_is_logged() -> None:
    with (
        structlog.testing.capture_logs() as captured,
        running(SilentStore()) as uri,
        serving(away(eventstore_uri=uri, history_seconds=1)) as http,
    ):
        http.get("/history/account-0")
    told = [line["reason"] for line in captured if line["event"] in {"outage_began", "request_unserved"}]
    address = uri.removeprefix("esdb://").partition("?")[0]
    assert {reason.partition(": ")[0] for reason in told} == {f"The event store at {address} can't be used"}


def test_those_beyond_the_ones_at_work_wait_and_those_beyond_them_are_refused() -> None:
    """One at work, eight that wait for their turn in vain, and two more."""
    store = UnreadableStore()
    with (
        running(store) as uri,
        serving(away(eventstore_uri=uri, histories_at_once=1, history_seconds=6)) as http,
        ThreadPoolExecutor(11) as threads,
    ):
        first = threads.submit(http.get, "/history/account-0")
        poll_until(lambda: _reads(store) == 1, seconds=4, what="the call of the first")
        answers = list(threads.map(http.get, ["/history/account-0"] * 10))
        assert first.result().status_code == 503
    assert Counter(answer.json()["detail"] for answer in answers) == {NO_TURN: 8, FULL: 2}
    for detail in (NO_TURN, FULL):
        answer = next(answer for answer in answers if answer.json()["detail"] == detail)
        assert_refused(answer, 429, "overloaded", detail)
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("at_once", [1, 3])
def test_as_many_look_back_at_once_as_the_setting_says(at_once: int) -> None:
    store = UnreadableStore()
    with (
        running(store) as uri,
        serving(away(eventstore_uri=uri, histories_at_once=at_once, history_seconds=6)) as http,
        ThreadPoolExecutor(5) as threads,
    ):
        asked = [threads.submit(http.get, "/history/account-0") for _ in range(5)]
        poll_until(lambda: _reads(store) == at_once, seconds=4, what="their calls")
        assert http.get("/health/live").status_code == 200
        answered = Counter(each.result().status_code for each in asked)
    assert answered == {503: at_once, 429: 5 - at_once}
    assert len({call.connection for call in store.seen if b"account-" in call.request}) == at_once


def test_who_gave_up_keeps_the_place_until_the_thread_has_ended() -> None:
    store = UnreadableStore()
    with running(store) as uri, serving(away(eventstore_uri=uri, histories_at_once=1, history_seconds=4)) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.get("/history/account-0", timeout=0.3)
        # which waits for its turn for three seconds: the thread has more of its four left
        assert http.get("/history/account-0").json()["rule"] == "overloaded"
        poll_until(lambda: not store.held, seconds=10, what="the end of the calls")


def test_sixty_who_trace_through_a_long_log_are_all_answered_or_refused() -> None:
    correlation, account = uuid4(), str(uuid4())
    traced = [CODEC.encode(event, metadata(event, correlation=correlation)) for event in _payments(account, 2)]
    others = [stored(event) for event in _payments(account, 2 * PART)]
    path = f"/history/trace/{correlation}?limit=100000"
    with EventStoreProcess(None) as store, serving(away(eventstore_uri=store.uri)) as http:
        with operating(store.uri) as operator:
            operator.append(f"account-{account}", *traced)
            for first in range(0, len(others), 500):
                operator.append(f"account-{account}", *others[first : first + 500])
        with ThreadPoolExecutor(60) as threads:
            answers = list(threads.map(lambda _: http.get(path, timeout=30), range(60)))
        assert {answer.status_code for answer in answers} <= {200, 429}
        parts = [next(answer.json() for answer in answers if answer.status_code == 200)]
        assert [answer.json() for answer in answers if answer.status_code == 200 and answer.json() != parts[0]] == []
        while (cursor := parts[-1]["next"]) is not None:
            parts.append(http.get(f"{path}&cursor={cursor}").json())
        assert [(part["searched"], len(part["commands"])) for part in parts] == [(PART, 0), (PART, 0), (2, 2)]
        assert [part["complete"] for part in parts] == [False, False, True]
        assert_malformed(http.get(f"{path}&cursor=s999999999999"), ("?cursor", NO_TOKEN))
        assert_malformed(http.get(f"{path}&cursor=1"), ("?cursor", NO_TOKEN))


def _payments(account: str, number: int) -> list[MoneyDeposited]:
    return [deposited(account, "1.00") for _ in range(number)]


def test_the_store_is_found_again_after_it_was_killed() -> None:
    with EventStoreProcess(None) as store, serving(away(eventstore_uri=store.uri)) as http:
        assert http.get("/history/account-0").json()["rule"] == "unknown-stream"
        store.kill()
        assert http.get("/history/account-0").json()["rule"] == "store-unavailable"
        store.start()
        poll_until(lambda: _rule(http) == "unknown-stream", seconds=20, what="the store")


def test_many_who_ask_in_turn_leave_no_connections_behind() -> None:
    with EventStoreProcess(None) as store:
        with operating(store.uri) as operator:
            stream, _ = told(operator, "1.00")
        with serving(away(eventstore_uri=store.uri, histories_at_once=2)) as http, ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(http.get, [f"/history/{stream}"] * 100))
            assert {answer.status_code for answer in answers} == {200}
            assert len(_connections(store)) <= 2 + 2  # and those of commands and queries
        poll_until(lambda: not _connections(store), seconds=20, what="the end of the connections")


def _rule(http: httpx.Client) -> str:
    return str(http.get("/history/account-0").json()["rule"])


def _reads(store: SilentStore) -> int:
    return sum(b"account-" in call.request for call in store.held)


def _connections(store: EventStoreProcess) -> list[str]:
    """Of this process with the store, as the kernel lists them."""
    port = f"{int(store.uri.rpartition(':')[2].partition('?')[0]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]]
    return [line[1] for line in lines if line[2].endswith(f":{port}") and line[3] == ESTABLISHED]
