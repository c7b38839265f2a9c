"""A command that comes again is answered from its own events, also where a load begins long after them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.bloom import BYTES, BloomFilter
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.errors import CommandIdReused
from infrastructure.snapshots.segments import segment_in, segment_record
from tests.infrastructure.commands.tally import CODEC, Count, OpenTally, decider, request
from tests.infrastructure.snapshots.tally_snapshots import LONG, RULE, Long, Shelf, tell, tell_of_long


def handler(shelf: Shelf) -> CommandHandler:
    """One that remembers nothing yet."""
    return CommandHandler(shelf.client, CODEC, snapshots=[RULE])


def count(shelf: Shelf, by: int = 1) -> Count:
    return Count(tally_id=shelf.stream.removeprefix("tally-"), by=Decimal(by))


async def opened(shelf: Shelf) -> None:
    command = OpenTally(tally_id=shelf.stream.removeprefix("tally-"), limit=Decimal(1_000_000))
    await handler(shelf).handle(decider, command, request())


def test_repeats_are_found_in_every_part_of_a_long_stream(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        for version in (1, SEGMENT - 1, SEGMENT, 2 * SEGMENT + 5, LONG - 1):
            cold = handler(shelf)
            found = await cold.handle(decider, count(shelf), request(long_tally.command_ids[version]))
            assert (found.version, found.repeated) == (version, True)
            assert cold.counts.restored == 1

    tell_of_long(eventstore_uri, long_tally, story)


@pytest.mark.parametrize("version", [1, 2 * SEGMENT + 5])
def test_an_id_from_long_ago_stands_for_its_request(eventstore_uri: str, long_tally: Long, version: int) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        another = request(long_tally.command_ids[version], digest="another")
        with pytest.raises(CommandIdReused):
            await handler(shelf).handle(decider, count(shelf), another)

    tell_of_long(eventstore_uri, long_tally, story)


def test_an_id_that_a_filter_takes_for_its_own_is_looked_for_and_then_new(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await opened(shelf)
        await shelf.grow(SEGMENT)
        await shelf.take()
        records = await shelf.streams.records(segment_stream(shelf.stream), 0, 10) or []
        crowded = replace(segment_in(records[0], shelf.stream), commands=(BloomFilter(b"\xff" * BYTES),))
        await shelf.add(segment_stream(shelf.stream), segment_record(shelf.stream, crowded))
        await shelf.client.set_stream_metadata(segment_stream(shelf.stream), metadata={"$tb": 1})
        cold = handler(shelf)
        for number in range(3):
            outcome = await cold.handle(decider, count(shelf), request())
            assert (outcome.version, outcome.repeated) == (SEGMENT + 1 + number, False)
        assert (cold.counts.restored, cold.counts.false_alarms) == (1, 3)

    tell(eventstore_uri, story)


def test_a_handler_takes_snapshots_and_goes_on_from_them(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await opened(shelf)
        first = handler(shelf)
        for _ in range(25):
            await first.handle(decider, count(shelf), request())
        await first.close()
        assert len(await shelf.kept()) == first.counts.taken > 0
        cold = handler(shelf)
        with_more = await cold.handle(decider, count(shelf, 1_000_000 - 25), request())
        assert (with_more.version, cold.counts.restored) == (27, 1)
        metadata, _ = await shelf.client.get_stream_metadata(snapshot_stream(shelf.stream))
        assert metadata == {"$maxCount": 3}

    tell(eventstore_uri, story)
