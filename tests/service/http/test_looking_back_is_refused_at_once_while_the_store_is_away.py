"""Who looks back waits for a store that falls silent as commands do; once it is known to be away, nobody waits."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Final
from uuid import uuid4

import httpx
import pytest
import structlog

from domain.stream_name import DEFAULT_TENANT
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.circuit import Circuit, Fault
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.outages import Outages
from service.http.history_threads import HistoryThreads
from service.http.store_looks import StoreLooks
from service.http.store_use import StoreUse
from tests.infrastructure.eventstore.silent_store import SilentStore, running
from tests.service.http.api_server import away, serving
from tests.service.http.shop import assert_refused, done
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.proxy import Proxy

AWAY: Final = "The event store can't be used at present."
AT_ONCE: Final = 0.5
OWN_TIME: Final = 30  # seconds that a look back may take
MANY: Final = 24  # more than there are threads
BROKEN: Final[dict[str, Callable[[Proxy], None]]] = {"refused": Proxy.refuse, "silent": Proxy.go_silent}


@contextmanager
def behind_a_proxy() -> Iterator[tuple[Proxy, httpx.Client, list[str]]]:
    """A way to the store that can be broken, an API beyond it, and the paths of what looks back at an account."""
    with EventStoreProcess(None) as store, Proxy(("127.0.0.1", store.port)) as proxy:
        uri = f"esdb://127.0.0.1:{proxy.port}?tls=false"
        with serving(away(eventstore_uri=uri, command_seconds=2, history_seconds=OWN_TIME)) as http:
            body = {"id": str(uuid4()), "owner_id": "ada", "currency": "EUR"}
            opened = http.post("/accounts", json=body)
            done(opened)
            history = f"/history/account-{body['id']}"
            trace = f"/history/trace/{opened.headers['Foldstream-Correlation-Id']}"
            yield proxy, http, [history, f"{history}/as-of?version=0", f"{history}/changes", trace, "/access-log"]


def seconds_of(ask: Callable[[], httpx.Response]) -> tuple[float, httpx.Response]:
    began = monotonic()
    answer = ask()
    return monotonic() - began, answer


@pytest.mark.parametrize("kind", BROKEN)
def test_the_first_wait_and_later_ones_are_told_at_once_until_it_is_back(kind: str) -> None:
    with structlog.testing.capture_logs() as captured, behind_a_proxy() as (proxy, http, paths):
        assert {http.get(path).status_code for path in paths} == {200}
        BROKEN[kind](proxy)
        poll_until(lambda: seconds_of(partial(http.get, paths[0]))[0] < AT_ONCE, seconds=20, what="a refusal at once")
        for path in paths:
            seconds, answer = seconds_of(partial(http.get, path))
            assert_refused(answer, 503, "store-unavailable", AWAY)
            assert (answer.headers["Retry-After"], seconds < AT_ONCE) == ("1", True)
        poll_until(lambda: _state(http) == "away", seconds=10, what="that readiness tells")
        proxy.heal()
        poll_until(lambda: http.get(paths[0]).status_code == 200, seconds=30, what="an answer")
        assert {http.get(path).status_code for path in paths} == {200}
        poll_until(lambda: "outage_ended" in _of_the_store(captured), seconds=30, what="the end of the outage")
    assert _of_the_store(captured) == ["outage_began", "outage_ended"]


def test_all_who_wait_are_told_as_soon_as_it_is_known() -> None:
    store = SilentStore()
    with running(store) as uri:

        async def live() -> float:
            looks = StoreLooks("nowhere:1", 1.0, Outages().eventstore)
            settings = away(eventstore_uri=uri, command_seconds=2)
            looks.using = await StoreUse.begun(settings, Outages(), CommandCounts(), looks.circuit)
            threads = HistoryThreads(uri, 4, OWN_TIME, looks.circuit)
            began = monotonic()
            asked = (threads.run(_reads, DEFAULT_TENANT) for _ in range(MANY))
            errors = await asyncio.gather(*asked, return_exceptions=True)
            seconds = monotonic() - began
            assert {str(error).partition(": ")[2] for error in errors} == {"it was found away: no answer within 1.25 s"}
            threads.close()
            await looks.close()
            await looks.using.close()
            return seconds

        assert asyncio.run(live()) < OWN_TIME / 3


def test_those_who_ask_how_the_store_is_share_one_look() -> None:
    store = SilentStore()
    with running(store) as uri:

        async def live() -> None:
            looks = StoreLooks("nowhere:1", 1.0, Outages().eventstore)
            looks.using = await StoreUse.begun(away(eventstore_uri=uri), Outages(), CommandCounts(), looks.circuit)
            looks.circuit.suspect()
            faults = await asyncio.gather(*(look() for look in (looks.read_fault, looks.write_fault) * 5))
            assert set(faults) == {"no answer within 1 s", "no answer within 2.5 s"}
            await looks.close()
            await looks.using.close()

        asyncio.run(live())
        assert len(store.seen) == 2


def test_what_needs_no_entry_is_read_from_a_store_that_takes_no_appends() -> None:
    async def full() -> Fault:
        return Fault("no space left", can_be_read=True)

    async def live(uri: str) -> int:
        circuit = Circuit("nowhere:1", full, 0.0, Outages().eventstore)
        circuit.suspect()
        threads = HistoryThreads(uri, 1, OWN_TIME, circuit)
        try:
            return await threads.run(LogReader.end, DEFAULT_TENANT)
        finally:
            threads.close()
            await circuit.close()

    with EventStoreProcess(None) as store:
        assert asyncio.run(live(store.uri)) > 0


def _reads(reader: LogReader) -> int:
    return reader.end()


def _state(http: httpx.Client) -> str:
    return str(http.get("/health/ready").json()["checks"]["eventstore"]["state"])


def _of_the_store(captured: list[structlog.typing.EventDict]) -> list[str]:
    told = [line["event"] for line in captured if line.get("server") == "eventstore"]
    return [event for event in told if event != "outage_goes_on"]
