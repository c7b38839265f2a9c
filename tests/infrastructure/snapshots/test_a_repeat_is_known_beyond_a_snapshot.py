"""A repeated command is answered from its own events, also where a load starts long after them."""

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
from tests.infrastructure.snapshots.tally_snapshots import LONG, RULE, LongTally, TallySnapshots, tell, tell_of_long
from tests.support.counted import counted


def handler(tally: TallySnapshots) -> CommandHandler:
    """One with an empty cache."""
    return CommandHandler(tally.client, CODEC, snapshots=[RULE])


def count(tally: TallySnapshots, by: int = 1) -> Count:
    return Count(tally_id=tally.stream.removeprefix("tally-"), by=Decimal(by))


async def opened(tally: TallySnapshots) -> None:
    command = OpenTally(tally_id=tally.stream.removeprefix("tally-"), limit=Decimal(1_000_000))
    await handler(tally).handle(decider, command, request())


def test_repeats_are_found_in_every_part_of_a_long_stream(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        for version in (1, SEGMENT - 1, SEGMENT, 2 * SEGMENT + 5, LONG - 1):
            cold = handler(tally)
            found = await cold.handle(decider, count(tally), request(long_tally.command_ids[version]))
            assert (found.version, found.repeated) == (version, True)
            assert counted(cold.counts)["restored"] == 1

    tell_of_long(eventstore_uri, long_tally, story)


@pytest.mark.parametrize("version", [1, 2 * SEGMENT + 5])
def test_an_id_from_long_ago_stands_for_its_request(eventstore_uri: str, long_tally: LongTally, version: int) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        another = request(long_tally.command_ids[version], digest="another")
        with pytest.raises(CommandIdReused):
            await handler(tally).handle(decider, count(tally), another)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_false_positive_of_a_filter_is_looked_up_and_found_new(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await opened(tally)
        await tally.grow(SEGMENT)
        await tally.take()
        records = await tally.streams.records(segment_stream(tally.stream), 0, 10) or []
        crowded = replace(segment_in(records[0], tally.stream), commands=(BloomFilter(b"\xff" * BYTES),))
        await tally.add(segment_stream(tally.stream), segment_record(tally.stream, crowded))
        tally.operator.set_metadata(segment_stream(tally.stream), {"$tb": 1})
        cold = handler(tally)
        for number in range(3):
            outcome = await cold.handle(decider, count(tally), request())
            assert (outcome.version, outcome.repeated) == (SEGMENT + 1 + number, False)
        assert (counted(cold.counts)["restored"], counted(cold.counts)["false_alarm"]) == (1, 3)

    tell(eventstore_uri, story)


def test_a_handler_takes_snapshots_and_goes_on_from_them(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await opened(tally)
        first = handler(tally)
        for _ in range(25):
            await first.handle(decider, count(tally), request())
        await first.close()
        assert len(await tally.snapshots()) == counted(first.counts)["taken"] > 0
        cold = handler(tally)
        with_more = await cold.handle(decider, count(tally, 1_000_000 - 25), request())
        assert (with_more.version, counted(cold.counts)["restored"]) == (27, 1)
        metadata = await tally.metadata(snapshot_stream(tally.stream))
        assert metadata == {"$maxCount": 3}

    tell(eventstore_uri, story)
