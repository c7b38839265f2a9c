"""Repeats of old commands on a long stream share one search of each part, and hold up nobody else's commands."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.aggregates.segment_ids import SegmentIds
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import Overloaded
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.stories import count, opened
from tests.infrastructure.commands.tally import CODEC, Counted, connected, decider, request
from tests.infrastructure.eventstore.operator import operate
from tests.support.counted import counted

REPEATS = 40
LENGTH = SEGMENT + 1_500
_PAGE = 1_000


@dataclass(frozen=True)
class Long:
    """A tally of which each command's id is known; that of version n is the one before n."""

    handler: CommandHandler
    tally: str
    ids: list[UUID]

    async def repeat(self, version: int) -> Outcome:
        return await self.handler.handle(decider, count(self.tally), request(self.ids[version - 1]))


async def long_tally(client: CommandClient, calls_at_once: int = 64) -> Long:
    """Loaded by a handler that has looked for nothing yet."""
    bounds = Bounds(calls_at_once=calls_at_once)
    tally, handler = str(uuid4()), CommandHandler(client, CODEC, bounds=bounds)
    await opened(handler, tally, limit=1_000_000)
    ids = [uuid4() for _ in range(LENGTH)]
    streams = Streams(client, CODEC)
    for first in range(0, LENGTH, _PAGE):
        await streams.append(f"tally-{tally}", first, [_counted(each) for each in ids[first : first + _PAGE]])
    fresh = CommandHandler(client, CODEC, bounds=bounds)
    await fresh.handle(decider, count(tally, 0), request())
    return Long(fresh, tally, ids)


def _counted(command_id: UUID) -> NewRecord:
    event = Counted(by=count("", 1).by)
    return CODEC.encode(event, request(command_id).metadata(event))


def test_others_are_answered_while_forty_old_keys_are_looked_up(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            long = await long_tally(client)
            repeats = [asyncio.create_task(long.repeat(version)) for version in range(1, REPEATS + 1)]
            later = long.handler.handle(decider, count(long.tally), request())
            answered = await asyncio.create_task(later)  # a task too, so that the others have come first
            left = [task for task in repeats if not task.done()]
            assert (answered.version, answered.repeated) == (LENGTH + 2, False)
            assert len(left) > REPEATS // 2
            outcomes = await asyncio.gather(*repeats)
            found = [(outcome.version, outcome.repeated) for outcome in outcomes]
            assert found == [(version, True) for version in range(1, REPEATS + 1)]
            counts = long.handler.counts
            assert (counts.searches, counted(counts)["found"], counted(counts)["false_alarm"]) == (1, REPEATS, 0)
            await long.handler.close()

    asyncio.run(run())


def test_what_was_found_out_serves_all_later_repeats(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            long = await long_tally(client)
            for version in (1, 77, SEGMENT - 1, SEGMENT, SEGMENT + 900, 2, SEGMENT + 901):
                outcome = await long.repeat(version)
                assert (outcome.version, outcome.repeated) == (version, True)
            assert long.handler.counts.searches == 2  # one for each segment
            await long.handler.close()

    asyncio.run(run())


def test_too_many_who_wait_for_searches_are_refused_and_the_rest_is_answered(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            long = await long_tally(client, calls_at_once=8)
            repeats = [long.repeat(version) for version in range(1, REPEATS + 1)]
            answers = await asyncio.gather(*repeats, return_exceptions=True)
            refused = [answer for answer in answers if isinstance(answer, Overloaded)]
            found = [answer.version for answer in answers if isinstance(answer, Outcome)]
            assert len(found) + len(refused) == REPEATS
            assert found[:6] == list(range(1, 7))  # three quarters of the eight
            assert refused
            again = await asyncio.gather(*(long.repeat(version) for version in range(1, REPEATS + 1)))
            assert [outcome.version for outcome in again] == list(range(1, REPEATS + 1))
            await long.handler.close()

    asyncio.run(run())


def test_a_search_finds_nothing_of_a_part_that_was_truncated(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            long = await long_tally(client)
            stream = f"tally-{long.tally}"
            await operate(eventstore_uri, lambda operator: operator.set_metadata(stream, {"$tb": 2_000}))
            kept = await long.repeat(2_500)
            assert (kept.version, kept.repeated) == (2_500, True)
            gone = await long.repeat(1_500)
            assert (gone.version, gone.repeated) == (LENGTH + 2, False)
            await long.handler.close()

    asyncio.run(run())


def test_ids_are_told_by_version_across_gaps() -> None:
    first, second = uuid4(), uuid4()
    ids = SegmentIds(10)
    ids.put(12, first)
    ids.put(13, second)
    ids.put(14, first)
    ids.extend_to(20)
    more = SegmentIds(18)
    more.put(21, second)
    ids.add(more)
    assert (ids.versions_of(first), ids.versions_of(second)) == (range(12, 15), range(13, 22))
    assert (ids.end, ids.versions_of(uuid4())) == (22, range(0))
