"""While the store is away a worker waits for it with one probe: no message is parked, and no attempt is counted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final

import pytest

from domain.decider import Decider
from domain.engine_events import SagaMessageAttempted, SagaMessageTaken
from domain.message import Command, Recorded
from infrastructure.commands.circuit import circuit_at
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import ConcurrencyConflict
from infrastructure.outages import Outages
from infrastructure.sagas.attempts import Attempts
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.gate import Gate
from infrastructure.sagas.quarantine import MOST_ATTEMPTS
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import (
    SECONDS,
    GatedCoordinator,
    consuming,
    here,
    operated,
    until,
    until_done,
)
from tests.infrastructure.sagas.errand import ErrandBegun, Errands, ThingFetched, new_tag
from tests.infrastructure.sagas.shelf import shelf
from tests.support.eventstore import EventStoreProcess, limit_files, unlimit_files
from tests.support.proxy import Proxy

MESSAGES: Final = 24  # more than are handled at once
OUTAGES: Final = MOST_ATTEMPTS + 2


def own_options(**chosen: Any) -> ConsumerOptions:
    """Those of a process of its own."""
    return ConsumerOptions(outages=Outages(), attempts=Attempts(), joined=set(), **chosen)


@asynccontextmanager
async def that_waits(client: CommandClient) -> AsyncIterator[ConsumerOptions]:
    """The options of a worker with a circuit."""
    options = own_options(grace=1.0)
    async with circuit_at(client, 1.0, options.outages.eventstore) as circuit:
        yield replace(options, circuit=circuit)


async def left_by_another(uri: str, errands: Errands, shelves: list[str]) -> Recorded[Any]:
    """A message that comes again: whoever had it in hand first left it."""
    async with connected(uri) as client:
        first, message = GatedCoordinator(errands, client), await errands.ask(client, shelves)
        async with consuming(uri, errands, own_options(grace=0.1), first):
            await until(here(lambda: first.came != []), "the first delivery")
    return message


async def kinds(client: CommandClient, errands: Errands, message: Recorded[Any]) -> list[type]:
    return [type(event) for event in await errands.story(client, errands.stream(message.event.errand_id))]


@pytest.mark.parametrize("with_circuit", [False, True])
def test_a_message_that_outages_interrupt_again_and_again_is_handled_in_the_end(with_circuit: bool) -> None:
    async def run(store: EventStoreProcess, proxy: Proxy) -> None:
        errands, through = Errands(new_tag()), f"esdb://127.0.0.1:{proxy.port}?tls=false"
        async with connected(store.uri) as client, connected(through) as broken, that_waits(broken) as waiting:
            message = await left_by_another(store.uri, errands, await errands.stocked(client, 1))
            held = GatedCoordinator(errands, broken)
            options = waiting if with_circuit else own_options()
            async with consuming(through, errands, options, held):
                for number in range(1, OUTAGES + 1):
                    await until(here(partial(_came, held, number)), f"delivery {number}")
                    proxy.refuse()
                    await until(here(lambda: not held.inside.total()), "that it is let go of")
                    proxy.heal()
                await until(here(lambda: len(held.came) > OUTAGES), "the last delivery")
                held.gate.set()
                await until_done(client, message, 2)
                await _is_acknowledged(store.uri, errands)
            told = await kinds(client, errands, message)
            assert [kind for kind in told if kind is not SagaMessageAttempted] == [
                *[SagaMessageTaken] * OUTAGES,
                ErrandBegun,
                ThingFetched,
                SagaMessageTaken,
            ]
            assert told.count(SagaMessageAttempted) == OUTAGES + 1

    with EventStoreProcess(None) as store, Proxy(("127.0.0.1", store.port)) as proxy:
        asyncio.run(run(store, proxy))


def test_a_failure_that_the_process_survives_is_no_attempt(eventstore_uri: str) -> None:
    failures = iter(range(OUTAGES))

    def route(_: Command) -> Decider[Any, Any, Any]:
        if next(failures, None) is not None:
            raise ConcurrencyConflict("shelf-0", 1)
        return shelf

    async def run() -> None:
        errands = Errands(new_tag(), route=route)
        async with connected(eventstore_uri) as client:
            message = await left_by_another(eventstore_uri, errands, await errands.stocked(client, 1))
            async with consuming(eventstore_uri, errands, own_options()):
                await until_done(client, message, 2)
                await _is_acknowledged(eventstore_uri, errands)
            told = await kinds(client, errands, message)
            assert told == [SagaMessageAttempted, ErrandBegun, ThingFetched, SagaMessageTaken]

    asyncio.run(run())


def test_two_sagas_that_react_to_one_message_note_an_attempt_each(eventstore_uri: str) -> None:
    async def run() -> None:
        errands, attempts = Errands(new_tag()), Attempts()
        async with connected(eventstore_uri) as client:
            message = await errands.ask(client, await errands.stocked(client, 1))
            first = errands.coordinator(client)
            errands.saga = replace(errands.saga, category=f"{errands.saga.category}_beside")
            second = errands.coordinator(client)
            async with attempts.attempt(first, message, Gate()), attempts.attempt(second, message, Gate()):
                assert [await each.attempts(message) for each in (first, second)] == [1, 1]

    asyncio.run(run())


def test_a_stop_in_order_takes_back_what_it_leaves_unfinished(eventstore_uri: str) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            message = await left_by_another(eventstore_uri, errands, await errands.stocked(client, 1))
            for _ in range(OUTAGES):
                held = GatedCoordinator(errands, client)
                async with consuming(eventstore_uri, errands, own_options(grace=0.1), held):
                    await until(here(partial(_came, held, 1)), "the delivery")
            async with consuming(eventstore_uri, errands, own_options()):
                await until_done(client, message, 2)
                await _is_acknowledged(eventstore_uri, errands)
            told = await kinds(client, errands, message)
            noted = [SagaMessageAttempted, SagaMessageTaken]
            assert told == [*noted * OUTAGES, SagaMessageAttempted, ErrandBegun, ThingFetched, SagaMessageTaken]

    asyncio.run(run())


def test_in_an_outage_each_message_is_tried_once_and_again_when_it_is_over(tmp_path: Path) -> None:
    async def run(store: EventStoreProcess) -> None:
        errands = Errands(new_tag())
        async with connected(store.uri) as client, that_waits(client) as options:
            (shelf_id,) = await errands.stocked(client, MESSAGES)
            messages = [await errands.ask(client, [shelf_id]) for _ in range(MESSAGES)]
            coordinator = GatedCoordinator(errands, client)
            async with consuming(store.uri, errands, options, coordinator):
                await until(here(lambda: coordinator.inside.total() == options.concurrency), "as many as may be")
                limit_files(store.process.pid)
                coordinator.gate.set()
                await until(here(lambda: options.outages.eventstore.is_missed_by("probe")), "that it is known")
                tried = Counter(coordinator.came)
                assert set(tried.values()) == {1}
                unlimit_files(store.process.pid)
                for message in messages:
                    await until_done(client, message, 2)
                await _is_acknowledged(store.uri, errands)
            assert max(Counter(coordinator.came).values()) == 2
            for message in messages:
                assert await kinds(client, errands, message) == [ErrandBegun, ThingFetched]

    with EventStoreProcess(tmp_path) as store:
        asyncio.run(run(store))


def test_a_stop_waits_for_no_store_that_is_away() -> None:
    async def run(store: EventStoreProcess, proxy: Proxy) -> None:
        errands, through = Errands(new_tag()), f"esdb://127.0.0.1:{proxy.port}?tls=false"
        async with connected(store.uri) as client:
            message = await errands.ask(client, await errands.stocked(client, 1))
            async with connected(through) as broken, connected(through) as own, that_waits(broken) as options:
                held, stop = GatedCoordinator(errands, broken), asyncio.Event()
                consumer = asyncio.create_task(consume_saga(held, own, errands.groups, stop, options))
                await until(here(lambda: held.came != []), "the message")
                proxy.go_silent()
                held.gate.set()
                await until(here(lambda: options.outages.eventstore.is_missed_by("probe")), "that it is known")
                began = monotonic()
                stop.set()
                await asyncio.wait_for(consumer, SECONDS)
                assert monotonic() - began < 8.0
                proxy.heal()
            async with consuming(store.uri, errands, own_options()):
                await until_done(client, message, 2)

    with EventStoreProcess(None) as store, Proxy(("127.0.0.1", store.port)) as proxy:
        asyncio.run(run(store, proxy))


def _came(held: GatedCoordinator, number: int) -> bool:
    return len(held.came) == number


async def _is_acknowledged(uri: str, errands: Errands) -> None:
    """Nothing is in hand, and nothing is parked."""

    async def condition() -> bool:
        info = await operated(uri, lambda operator: operator.group_info(errands.group))
        assert info.parked_message_count == 0
        return bool(info.total_in_flight_messages == 0)

    await until(condition, "that all is acknowledged")
