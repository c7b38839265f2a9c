"""Refusals of requests without a valid token have an entry each at first; further ones of an address have one together.

So no flood of them fills the queue in which the entries of readers wait.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Final, cast

import httpx
import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from infrastructure.access.access_entry import AccessRecorded
from infrastructure.outages import Outages
from service.access.action import Action
from service.http.middleware.access_records import record, record_last_refusals
from service.http.middleware.metrics import Metrics
from service.http.middleware.refusal_counts import OTHERS, RefusalCounts, Refused
from service.http.problems import Problem
from service.http.store_looks import StoreLooks
from tests.infrastructure.access.entries import log_at
from tests.infrastructure.eventstore.silent_store import silent
from tests.service.http.looks import entries_of, serving_all
from tests.support.callers import header_of
from tests.support.clock import Clock
from tests.support.eventstore import EventStoreProcess

ADDRESS: Final = "127.0.0.1"
SINGLE: Final = 32
FLOOD: Final = 300
A: Final = Refused("10.0.0.1", "read-history")
B: Final = Refused("10.0.0.2", "read-history")


def entered(counts: RefusalCounts, refused: Refused, times: int) -> int:
    """How many of so many refusals have an entry of their own."""
    return sum(counts.has_entry(refused) for _ in range(times))


def test_the_first_of_an_address_have_entries_and_the_others_are_counted_until_the_window_ends() -> None:
    clock = Clock()
    counts = RefusalCounts(clock, of_one=3)
    assert [entered(counts, A, 10), entered(counts, B, 2)] == [3, 2]
    clock.now += 59.9
    assert counts.due() == ()
    clock.now += 0.1
    assert counts.due() == [(A, 7)]
    assert [counts.due(), entered(counts, A, 10)] == [(), 3]


def test_all_addresses_together_have_a_bounded_number_of_entries_and_of_counts() -> None:
    counts = RefusalCounts(Clock(), of_one=3, of_all=4, most=2)
    assert [entered(counts, Refused(str(number), "read-trace"), 5) for number in range(4)] == [3, 1, 0, 0]
    assert counts.all_counted() == [
        (Refused("0", "read-trace"), 2),
        (Refused("1", "read-trace"), 4),
        (Refused(OTHERS, "read-trace"), 10),
    ]


def test_what_could_not_be_put_on_record_counts_in_the_next_window() -> None:
    clock = Clock()
    counts = RefusalCounts(clock, of_one=1)
    entered(counts, A, 5)
    for refused, times in counts.all_counted():
        counts.add(refused, times)
    entered(counts, A, 3)
    clock.now += 60
    assert counts.due() == [(A, 4 + 2)]


@pytest.fixture
def store() -> Iterator[str]:
    with EventStoreProcess(None) as running:
        yield running.uri


def test_a_flood_leaves_few_entries_and_keeps_no_reader_from_looking(store: str) -> None:
    reader = header_of("ada", "auditor")
    with serving_all(store) as http:
        with ThreadPoolExecutor(8) as crowd:
            refused = [crowd.submit(http.get, "/history/order-1") for _ in range(FLOOD)]
            looks = [http.get("/history/order-1", headers=reader).status_code for _ in range(20)]
        assert {each.result().status_code for each in refused} == {401}
        assert looks == [404] * 20
        counted = f"foldstream_access_log_refusals_counted_total {FLOOD - SINGLE}.0"
        assert counted in http.get("/metrics", headers=header_of("m", "monitor")).text.splitlines()
    found = entries_of(store, "default")
    assert [each.subject for each in found].count("ada") == 20
    *single, last = [each for each in found if each.subject == "anonymous"]
    assert [(each.resource, each.times) for each in single] == [("order-1", 1)] * SINGLE
    assert last == AccessRecorded(
        entry_id=last.entry_id,
        at=last.at,
        subject="anonymous",
        roles=(),
        action="read-history",
        resource=f"* from {ADDRESS}",
        outcome="refused",
        correlation_id=last.correlation_id,
        source="http",
        rule="unauthenticated",
        times=FLOOD - SINGLE,
    )


def test_who_has_a_token_and_may_not_has_an_entry_each_time(store: str) -> None:
    with serving_all(store) as http:
        for _ in range(2 * SINGLE):
            assert http.get("/history/order-1", headers=header_of("bob", "customer")).status_code == 403
    assert [(each.rule, each.times) for each in entries_of(store, "default")] == [("forbidden", 1)] * (2 * SINGLE)


def test_what_a_silent_store_keeps_from_being_recorded_at_a_stop_is_told_of() -> None:
    async def run(uri: str) -> None:
        async with log_at(uri, patience=60.0) as (_, log), asyncio.timeout(30):
            circuit = StoreLooks("nowhere:1", 60.0, Outages().eventstore).circuit
            connections = SimpleNamespace(access_log=log, circuit=circuit)
            counts = RefusalCounts(Clock(), of_all=0)
            entered(counts, A, 5)
            entered(counts, B, 2)
            state = SimpleNamespace(connections=connections, refusal_counts=counts, metrics=Metrics())
            await record_last_refusals(cast("FastAPI", SimpleNamespace(state=state)))

    with silent() as address, capture_logs() as lines:
        asyncio.run(run(f"esdb://{address}?tls=false"))
    assert [each["refusals"] for each in lines if each["event"] == "refusals_not_recorded"] == [7]


def test_a_full_queue_refuses_and_is_counted(eventstore_uri: str) -> None:
    metrics = Metrics()

    async def run() -> None:
        async with log_at(eventstore_uri, waiting=0) as (_, log):
            circuit = StoreLooks("nowhere:1", 1.0, Outages().eventstore).circuit
            connections = SimpleNamespace(access_log=log, circuit=circuit)
            state = SimpleNamespace(connections=connections, metrics=metrics)
            scope = {"type": "http", "app": SimpleNamespace(state=state), "path_params": {"stream": "order-1"}}
            request = Request({**scope, "state": {"correlation_id": None}, "headers": []})
            await record(request, Action.READ_HISTORY)

    with pytest.raises(Problem) as refusal:
        asyncio.run(run())
    assert refusal.value.rule == "store-unavailable"
    counted = {sample.name: sample.value for family in metrics.registry.collect() for sample in family.samples}
    assert counted["foldstream_access_log_full_total"] == 1.0
    assert httpx.codes(refusal.value.status_code) is httpx.codes.SERVICE_UNAVAILABLE
