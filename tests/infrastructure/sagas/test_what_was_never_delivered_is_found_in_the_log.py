"""A message that no delivery brought to an end is found in the log and reacted to."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
import structlog

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import UnreadableEvent, WrongExpectedVersion
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import NewRecord
from infrastructure.outages import Outages
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.failures import after_failure
from infrastructure.sagas.sweep import MOST_UNSETTLED, Sweep
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import (
    GatedCoordinator,
    broken,
    consuming,
    number_of_facts,
    operated,
    stop_at,
    until_done,
    waiting_at,
)
from tests.infrastructure.sagas.errand import Errands, new_tag
from tests.infrastructure.sagas.shelf import Taken, shelf
from tests.support.eventstore import EventStoreProcess

Story = Callable[[CommandClient, Errands, Sweep], Awaitable[None]]
AT_ONCE = ConsumerOptions(settling=0.0, sweep_every=0.1)


def tell(uri: str, story: Story, errands: Errands | None = None) -> None:
    async def run() -> None:
        told = errands or Errands(new_tag())
        async with connected(uri) as client:
            await story(client, told, sweep(client, told))

    asyncio.run(run())


def sweep(client: CommandClient, errands: Errands) -> Sweep:
    return Sweep(errands.coordinator(client), Log(client), after_failure)


async def through_all(client: CommandClient, sweeping: Sweep) -> None:
    await sweeping.through(await Log(client).end())


async def make_group_from_the_end(uri: str, errands: Errands) -> None:
    """As if the group had gone past all that is in the log: an operator made it anew, or the server skipped."""
    await operated(uri, lambda operator: operator.create_group(errands.group, errands.pattern, from_end=True))


def test_a_store_that_is_away_is_one_line_for_all_sweeps() -> None:
    async def story(client: CommandClient, errands: Errands, _: Sweep) -> None:
        store.kill()
        sweeping = Sweep(errands.coordinator(client), Log(client), after_failure, Outages())
        with structlog.testing.capture_logs() as lines, suppress(TimeoutError):
            await asyncio.wait_for(sweeping.run(settling=0.0, every=0.05), 2.0)
        assert [line["event"] for line in lines] == ["outage_began"]

    with EventStoreProcess(None) as store:
        tell(store.uri, story)


def test_a_worker_reacts_to_what_its_group_never_delivers(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, _: Sweep) -> None:
        shelves = await errands.stocked(client, 5)
        lost = [await errands.ask(client, shelves) for _ in range(3)]
        await make_group_from_the_end(eventstore_uri, errands)
        async with consuming(eventstore_uri, errands, AT_ONCE):
            for message in lost:
                await until_done(client, message, 2)
        taken = [
            event.errand_id for event in await errands.story(client, f"shelf-{shelves[0]}") if type(event) is Taken
        ]
        assert taken == [message.event.errand_id for message in lost]

    tell(eventstore_uri, story)


def test_what_was_left_halfway_is_brought_to_its_end(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        shelves = await errands.stocked(client, 1, 1)
        message = await errands.ask(client, shelves)
        beginning = Errands(errands.tag, route=shut)
        with pytest.raises(Rejected):
            await beginning.coordinator(client).react(message)
        assert await number_of_facts(client, message) == 1
        await through_all(client, sweeping)
        assert await number_of_facts(client, message) == 3

    tell(eventstore_uri, story)


def test_what_is_settled_is_left_alone_and_not_read_again(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, _: Sweep) -> None:
        shelves = await errands.stocked(client, 5)
        messages = [await errands.ask(client, shelves) for _ in range(3)]
        for message in messages:
            await errands.coordinator(client).react(message)
        watched = GatedCoordinator(errands, client)
        sweeping = Sweep(watched, Log(client), after_failure)
        await through_all(client, sweeping)
        assert watched.came == []
        assert await sweeping.checkpoints.read() == SweepCheckpoint(messages[-1].position, (), 1, messages[-1].id)
        await through_all(client, sweeping)
        assert await sweeping.checkpoints.read() == SweepCheckpoint(messages[-1].position, (), 1, messages[-1].id)

    tell(eventstore_uri, story)


def test_nothing_beyond_the_end_is_touched(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        shelves = await errands.stocked(client, 5)
        early, late = await errands.ask(client, shelves), await errands.ask(client, shelves)
        await sweeping.through(early.position)
        assert [await number_of_facts(client, message) for message in (early, late)] == [2, 0]
        await sweeping.through(late.position)
        assert [await number_of_facts(client, message) for message in (early, late)] == [2, 2]

    tell(eventstore_uri, story)


def shut(command: Command) -> Decider[Any, Any, Any]:
    """Who answers for the shelf while it is closed."""
    raise Rejected("closed", "The shop is closed.")


def test_what_fails_in_two_sweeps_stops_its_instance_and_holds_up_nothing_else(eventstore_uri: str) -> None:
    closed: list[str] = []

    def route(command: Command) -> Decider[Any, Any, Any]:
        return shut(command) if command.aggregate_id in closed else shelf

    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        open_, shut_ = await errands.stocked(client, 5, 5)
        closed.append(shut_)
        messages = [await errands.ask(client, [shelf_id]) for shelf_id in (open_, shut_, open_)]
        await through_all(client, sweeping)
        assert [await number_of_facts(client, message) for message in messages] == [2, 1, 2]
        left = (messages[1].position,)
        assert await sweeping.checkpoints.read() == SweepCheckpoint(messages[-1].position, left, 1, messages[-1].id)
        await through_all(client, sweeping)
        stopped = (await errands.story(client, errands.stream(messages[1].event.errand_id)))[-1]
        assert stopped == stop_at(messages[1], "Rejected: The shop is closed.")
        assert await sweeping.checkpoints.read() == SweepCheckpoint(messages[-1].position, (), 2, messages[-1].id)

    tell(eventstore_uri, story, Errands(new_tag(), route=route))


def test_what_nobody_foresaw_stops_the_instance_at_once(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        message = await errands.ask(client, await errands.stocked(client, 5))
        await through_all(client, sweeping)
        stopped = (await errands.story(client, errands.stream(message.event.errand_id)))[-1]
        assert stopped == stop_at(message, "KeyError: 'Take'")
        assert await sweeping.checkpoints.read() == SweepCheckpoint(message.position, (), 1, message.id)

    tell(eventstore_uri, story, Errands(new_tag(), route=broken))


def test_a_hundred_messages_for_an_instance_that_stands_still_are_settled(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        shelves = await errands.stocked(client, 5)
        first = await errands.ask(client, shelves)
        await errands.coordinator(client).stop(first, "it can't be done")
        for _ in range(MOST_UNSETTLED):
            last = await errands.ask(client, shelves, first.event.errand_id)
        other = await errands.ask(client, shelves)
        await through_all(client, sweeping)
        assert await number_of_facts(client, other) == 2
        noted = await errands.story(client, errands.stream(first.event.errand_id))
        assert noted[-1] == waiting_at(last)
        assert len(noted) == 1 + MOST_UNSETTLED
        assert (await sweeping.checkpoints.read()).unsettled == ()

    tell(eventstore_uri, story)


def test_more_messages_than_fit_on_a_page(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        shelves = await errands.stocked(client, 0)
        messages = []
        for _ in range(12):
            messages += await asyncio.gather(*(errands.ask(client, shelves) for _ in range(10)))
        await through_all(client, sweeping)
        assert [await number_of_facts(client, message) for message in messages] == [2] * 120
        assert (await sweeping.checkpoints.read()).position == max(message.position for message in messages)

    tell(eventstore_uri, story)


def test_only_one_of_two_sweeps_moves_the_mark(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        mark = await sweeping.checkpoints.move(await sweeping.checkpoints.read(), 7, (3, 5))
        await sweeping.checkpoints.move(mark, 9, ())
        with pytest.raises(WrongExpectedVersion):
            await sweeping.checkpoints.move(mark, 8, ())
        assert await sweeping.checkpoints.read() == SweepCheckpoint(9, (), 1)
        assert len(await Log(client).of_stream(sweeping.checkpoints.stream, 0, 10) or ()) == 1

    tell(eventstore_uri, story)


def test_a_mark_at_another_record_than_it_was_is_none(eventstore_uri: str) -> None:
    """As after an older copy of the store was put back: what lies before the mark was never looked at."""

    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        shelves = await errands.stocked(client, 5)
        lost, at = await errands.ask(client, shelves), await errands.ask(client, shelves)
        await sweeping.checkpoints.move(await sweeping.checkpoints.read(), at.position, (), uuid4())
        await through_all(client, sweeping)
        assert [await number_of_facts(client, message) for message in (lost, at)] == [2, 2]
        assert await sweeping.checkpoints.read() == SweepCheckpoint(at.position, (), 2, at.id)

    tell(eventstore_uri, story)


def test_a_mark_at_its_record_is_gone_on_from(eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        shelves = await errands.stocked(client, 5)
        passed, at = await errands.ask(client, shelves), await errands.ask(client, shelves)
        await sweeping.checkpoints.move(await sweeping.checkpoints.read(), at.position, (), at.id)
        await through_all(client, sweeping)
        assert [await number_of_facts(client, message) for message in (passed, at)] == [0, 0]

    tell(eventstore_uri, story)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (b'{"position": 7, "unsettled": [3]}', SweepCheckpoint(7, (3,), 0)),
        (b'{"format": 99, "place": "elsewhere"}', None),
    ],
    ids=["of the release before", "of a later release"],
)
def test_a_mark_of_another_release(stored: bytes, expected: SweepCheckpoint | None, eventstore_uri: str) -> None:
    async def story(client: CommandClient, errands: Errands, sweeping: Sweep) -> None:
        streams = errands.coordinator(client).streams
        await streams.append(sweeping.checkpoints.stream, -1, [NewRecord("SagaSwept", stored)])
        if expected is not None:
            assert await sweeping.checkpoints.read() == expected
            return
        with pytest.raises(UnreadableEvent, match="a later release"):
            await through_all(client, sweeping)
        left = await Log(client).of_stream(sweeping.checkpoints.stream, 0, 10)
        assert [record.data for record in left or ()] == [stored]

    tell(eventstore_uri, story)
