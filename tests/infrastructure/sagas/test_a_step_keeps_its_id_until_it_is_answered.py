"""A step's command has one id from when it becomes pending until it is answered, whatever is stored meanwhile."""

import asyncio
import tarfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid5

import pytest

from domain.engine_events import SagaMessageAttempted
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Event, Recorded
from domain.saga import Ask
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.instance import Instance
from service.consumers import DECIDERS, EVENTS
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    ErrandEvent,
    ErrandExtended,
    Errands,
    ThingFetched,
    hear,
    new_tag,
)
from tests.infrastructure.sagas.shelf import Stocked, Taken
from tests.support.eventstore import EventStoreProcess

ROOT: Final = Path(__file__).parents[3]
OPEN_ORDERS: Final = ROOT / "tests" / "service" / "data" / "open_orders.tar.gz"
"""A store of the release whose ids were drawn from the last event of the saga's stream."""
Between: TypeAlias = Callable[[CommandClient, Errands, Recorded[Any]], Awaitable[None]]


class Crash(Exception):
    """Where a test ends a worker."""


async def another_message(client: CommandClient, errands: Errands, message: Recorded[Any]) -> None:
    """The saga is asked for one thing more, and no worker comes further than to store that."""
    more = await errands.ask(client, await errands.stocked(client, 5), message.event.errand_id)
    with pytest.raises(Crash):
        await deaf(errands).coordinator(client).react(more)


async def another_answer(client: CommandClient, errands: Errands, message: Recorded[Any]) -> None:
    """A worker that ends at the first step again has stored the answer of the other."""
    with pytest.raises(Crash):
        await deaf(errands, message.event.shelves[0]).coordinator(client).react(message)


async def attempt(client: CommandClient, errands: Errands, message: Recorded[Any]) -> None:
    """The message came again, and that is noted."""
    assert await errands.coordinator(client).attempt(message)


def deaf(errands: Errands, shelf_id: str | None = None) -> Errands:
    """Whose workers end when they hear the answer of that shelf, or any, and have not stored it."""

    def heard(ask: Ask, answer: Sequence[Event], errand: Errand) -> list[ErrandEvent]:
        if shelf_id is None or ask.command.aggregate_id == shelf_id:
            raise Crash
        return hear(ask, answer, errand)

    return Errands(errands.tag, hear=heard)


@pytest.mark.parametrize(
    ("between", "stored"),
    [(another_message, ErrandExtended), (another_answer, ThingFetched), (attempt, SagaMessageAttempted)],
    ids=["another message", "another step's answer", "what the engine notes"],
)
def test_whatever_is_stored_before_the_answer_the_step_takes_effect_once(
    eventstore_uri: str, between: Between, stored: type[Event]
) -> None:
    async def run() -> None:
        errands = Errands(new_tag())
        async with connected(eventstore_uri) as client:
            first, second = await errands.stocked(client, 5, 5)
            message = await errands.ask(client, [first, second])
            errand = message.event.errand_id
            with pytest.raises(Crash):
                await deaf(errands).coordinator(client).react(message)
            await between(client, errands, message)
            assert [type(each) for each in await errands.story(client, errands.stream(errand))] == [ErrandBegun, stored]
            await errands.coordinator(client).react(message)
            for shelf_id in (first, second):
                told = await errands.story(client, f"shelf-{shelf_id}")
                assert told == [Stocked(number=5), Taken(errand_id=errand)]
            begun = (await errands.recorded(client, errands.stream(errand)))[0]
            taken = (await errands.recorded(client, f"shelf-{first}"))[1]
            assert (taken.metadata.command_id, taken.metadata.causation_id) == (
                uuid5(begun.id, f"take:{first}"),
                begun.id,
            )

    asyncio.run(run())


def test_a_step_that_is_pending_under_the_same_name_after_its_answer_is_refused(eventstore_uri: str) -> None:
    """Else it would be asked for under the same id, and hear the same answer for ever."""

    async def run() -> None:
        errands = Errands(new_tag(), hear=lambda ask, answer, errand: [ErrandExtended(shelves=("0",))])
        async with connected(eventstore_uri) as client:
            shelves = await errands.stocked(client, 5)
            message = await errands.ask(client, shelves)
            with pytest.raises(SagaStuck, match="is pending still after its answer"):
                await errands.coordinator(client).react(message)
            assert len(await errands.recorded(client, errands.stream(message.event.errand_id))) == 1

    asyncio.run(run())


def test_fulfilments_that_an_earlier_release_ran_keep_their_ids(tmp_path: Path) -> None:
    """Their commands' ids were drawn from the last event of the saga's stream; they are the same here, all 27."""
    with tarfile.open(OPEN_ORDERS) as packed:
        packed.extractall(tmp_path, filter="data")
    with EventStoreProcess(tmp_path / "eventstore") as store, open_reader(store.uri) as reader:
        own = recorded_in(reader, [fulfilment.category])
        targets = recorded_in(reader, [decider.category for decider in DECIDERS])
    instances = {event.stream: Instance(fulfilment, event.stream) for event in own}
    drawn = [commands_after(event, instances[event.stream]) for event in own]
    sent = {
        (event.metadata.command_id, event.metadata.causation_id)
        for event in targets
        if event.metadata.actor == f"saga:{fulfilment.category}"
    }
    waiting = {command for instance in instances.values() for command in commands_of(instance)}
    assert (len(sent), len(waiting)) == (27, 2)
    assert {command for commands in drawn for command in commands} == sent | waiting


def recorded_in(reader: LogReader, categories: Sequence[str]) -> list[Recorded[Any]]:
    codec = EventCodec(EVENTS)
    return [event for record in reader.records(category_pattern(categories)) for event in codec.events_in(record)]


def commands_after(event: Recorded[Any], instance: Instance[Any]) -> frozenset[tuple[UUID, UUID]]:
    """The ids and the causes of the commands that are pending after the next event of an instance."""
    instance.take([event])
    return commands_of(instance)


def commands_of(instance: Instance[Any]) -> frozenset[tuple[UUID, UUID]]:
    causes = {ask.step: instance.cause_of(ask.step) for ask in instance.pending}
    return frozenset((uuid5(cause, step), cause) for step, cause in causes.items())
