"""A saga is for all messages of the log, for those from now on, or for those from a time on: for no earlier one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import structlog

from domain.message import Recorded
from domain.saga import Begins
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import NewRecord
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.filters import pattern_of_events
from infrastructure.sagas.start_position import StartPosition
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import SECONDS, consuming, number_of_facts, operated, until_done
from tests.infrastructure.sagas.errand import Errands, new_tag
from tests.support.polling import poll_until_async

Story = Callable[[CommandClient], Awaitable[None]]
AT_ONCE = ConsumerOptions(settling=0.0, sweep_every=0.1)


def tell(uri: str, story: Story) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            await story(client)

    asyncio.run(run())


def start_of(client: CommandClient, errands: Errands) -> StartPosition:
    return StartPosition(errands.saga, errands.coordinator(client).streams, Log(client))


async def numbers_of_facts(client: CommandClient, messages: Sequence[Recorded[Any]]) -> list[int]:
    return [await number_of_facts(client, message) for message in messages]


async def until_swept(client: CommandClient, errands: Errands, message: Recorded[Any]) -> None:
    """Waits until the sweep has come to this message."""

    async def swept() -> bool:
        return (await start_of(client, errands).checkpoints.read()).position == message.position

    await poll_until_async(swept, SECONDS, what="the sweep of the message")


def test_from_now_on_no_earlier_message_is_reacted_to(eventstore_uri: str) -> None:
    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag(), begins="now")
        shelves = await errands.stocked(client, 10)
        before = [await errands.ask(client, shelves) for _ in range(2)]
        await start_of(client, errands).checkpoint()
        after = await errands.ask(client, shelves)
        async with consuming(eventstore_uri, errands, AT_ONCE):
            await until_done(client, after, 2)
            await until_swept(client, errands, after)
        assert await numbers_of_facts(client, before) == [0, 0]

    tell(eventstore_uri, story)


def test_from_a_time_on_no_message_that_was_written_before_is_reacted_to(eventstore_uri: str) -> None:
    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag())
        shelves = await errands.stocked(client, 10)
        messages = [await errands.ask(client, shelves) for _ in range(4)]
        errands.saga = replace(errands.saga, begins=messages[2].at)
        async with consuming(eventstore_uri, errands, AT_ONCE):
            await until_done(client, messages[3], 2)
            await until_swept(client, errands, messages[3])
        assert await numbers_of_facts(client, messages) == [0, 0, 2, 2]
        read = await start_of(client, errands).checkpoints.read()
        assert (read.begin, read.position) == (messages[1].position, messages[3].position)

    tell(eventstore_uri, story)


def test_the_last_message_before_a_time_is_found_however_far_back(eventstore_uri: str) -> None:
    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag())
        shelves = await errands.stocked(client, 10)
        messages = [await errands.ask(client, shelves) for _ in range(7)]
        log = Log(client)
        times = [message.at for message in messages]
        own = pattern_of_events(errands.saga.reacts_to)  # another saga in this store may have been told to go on
        found = [await log.last_before(own, at, page_size=2) for at in times]
        assert [each and each.id for each in found] == [None, *(message.id for message in messages[:-1])]

    tell(eventstore_uri, story)


def test_until_its_time_has_come_a_saga_reacts_to_nothing(eventstore_uri: str) -> None:
    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag(), begins=datetime(2999, 1, 1, tzinfo=UTC))
        await start_of(client, errands).checkpoint()
        async with consuming(eventstore_uri, errands, AT_ONCE):
            message = await errands.ask(client, await errands.stocked(client, 1))
            await until_swept(client, errands, message)
        assert await number_of_facts(client, message) == 0

    tell(eventstore_uri, story)


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="a time needs its offset from UTC"):
        Errands(new_tag(), begins=datetime(2026, 3, 1))


def test_a_group_that_somebody_made_from_the_beginning_wakes_nobody_for_what_came_before(eventstore_uri: str) -> None:
    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag(), begins="now")
        shelves = await errands.stocked(client, 10)
        before = await errands.ask(client, shelves)
        await start_of(client, errands).checkpoint()
        await operated(eventstore_uri, lambda operator: operator.create_group(errands.group, errands.pattern))
        after = await errands.ask(client, shelves)
        async with consuming(eventstore_uri, errands):
            await until_done(client, after, 2)
        assert await number_of_facts(client, before) == 0

    tell(eventstore_uri, story)


@pytest.mark.parametrize("begins", ["beginning", "now"])
def test_of_many_workers_one_writes_where_the_saga_begins(eventstore_uri: str, begins: Begins) -> None:
    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag(), begins=begins)
        last = await errands.ask(client, await errands.stocked(client, 1))
        found = await asyncio.gather(*(start_of(client, errands).checkpoint() for _ in range(6)))
        assert {each.version for each in found} == {0}
        assert len(set(found)) == 1
        read = await start_of(client, errands).checkpoint()
        assert read == found[0]
        assert (read.position is None, read.begin is None) == (
            (True, True) if begins == "beginning" else (False, False)
        )
        assert (read.position or last.position) >= last.position

    tell(eventstore_uri, story)


def test_in_another_history_of_the_log_it_begins_where_it_declares(eventstore_uri: str) -> None:
    """Not at the beginning of the log: what came before was never for it."""

    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag(), begins="now")
        start = start_of(client, errands)
        before = await errands.ask(client, await errands.stocked(client, 1))
        await start.checkpoints.begin(SweepCheckpoint(before.position, event_id=uuid4()))
        begun = await start.checkpoint()
        assert (begun.version, begun.begin is not None and begun.begin >= before.position) == (1, True)

    tell(eventstore_uri, story)


def test_a_filter_that_a_later_release_has_stored_is_waited_for_and_left_alone(eventstore_uri: str) -> None:
    async def story(client: CommandClient) -> None:
        errands = Errands(new_tag())
        stream, newer = f"{errands.saga.category}_filters-0", NewRecord("SagaFilterDeclared", b'{"format": 99}')
        await errands.coordinator(client).streams.append(stream, -1, [newer])
        with structlog.testing.capture_logs() as lines:
            async with consuming(eventstore_uri, errands) as task:
                await poll_until_async(lambda: _waits(lines), SECONDS, what="a word about it")
                assert not task.done()
        [line] = [line for line in lines if line["event"] == "saga_waits"][:1]
        assert "a later release has stored it, in format 99" in line["reason"]
        assert [record.data for record in await Log(client).of_stream(stream, 0, 10) or ()] == [newer.data]

    tell(eventstore_uri, story)


async def _waits(lines: Sequence[Any]) -> bool:
    return any(line["event"] == "saga_waits" for line in lines)
