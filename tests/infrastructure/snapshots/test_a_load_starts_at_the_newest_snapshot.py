"""A load starts at the newest snapshot, and knows all that a load of the whole stream knows."""

import asyncio
from decimal import Decimal

from domain.stream_name import snapshot_stream
from infrastructure.aggregates.command_ids import RECENT, SEGMENT
from tests.infrastructure.snapshots.tally_snapshots import (
    LONG,
    RULE,
    LongTally,
    TallySnapshots,
    facts,
    tell,
    tell_of_long,
)
from tests.support.counted import counted, skipped_snapshots


def test_nothing_is_restored_where_no_snapshot_was_taken(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        aggregate = tally.aggregate()
        assert not await tally.loader.restore(aggregate, "tally")
        assert facts(aggregate) == facts(tally.aggregate())
        assert (counted(tally.counts)["restored"], skipped_snapshots(tally.counts)) == (0, {})

    tell(eventstore_uri, story, events=5)


def test_a_snapshot_and_the_tail_are_the_whole_stream(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        tail = await tally.grow(3)
        other = tally.another_process()
        aggregate = await other.loaded()
        whole = await tally.folded()
        assert facts(aggregate) == facts(whole)
        assert (aggregate.version, aggregate.snapshot_version) == (13, 10)
        assert aggregate.commands.recent == whole.commands.recent
        assert tail[-1] in aggregate.commands.recent
        assert (counted(other.counts)["restored"], skipped_snapshots(other.counts)) == (1, {})

    tell(eventstore_uri, story, events=11)


def test_a_tail_longer_than_a_page_is_read_to_its_end(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        await tally.grow(1100)
        assert facts(await tally.loaded()) == facts(await tally.folded())
        assert counted(tally.counts)["restored"] == 1

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_says_what_it_is_of(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        aggregate = await tally.take()
        recent = {str(command_id): [place, place] for place, command_id in enumerate(aggregate.commands.recent)}
        [body] = await tally.snapshots()
        taken_at = body.pop("taken_at")
        assert taken_at.endswith("Z")
        assert body == {
            "stream": tally.stream,
            "version": 10,
            "position": aggregate.position,
            "last_id": str(aggregate.last_id),
            "format": 1,
            "fingerprint": RULE.fingerprint,
            "state": {"is": "Tally", "limit": None, "count": "11"},
            "commands": {"recent": recent, "sealed": 0, "unsealed": None},
        }

    tell(eventstore_uri, story, events=11)


def test_commands_from_long_before_the_snapshot_are_known(eventstore_uri: str, long_tally: LongTally) -> None:
    """By the recent ones, by the filter of the last segment, and by those of the sealed segments."""

    async def story(tally: TallySnapshots) -> None:
        taken = await tally.take()
        assert [body["number"] for body in await tally.segments()] == [0, 1]
        aggregate = await tally.another_process().loaded()
        assert facts(aggregate) == facts(long_tally.whole)
        assert (aggregate.snapshot_version, len(aggregate.commands.sealed)) == (taken.version, 2)
        for version in (0, SEGMENT - 1, SEGMENT, 2 * SEGMENT, LONG - RECENT - 1, LONG - 1):
            places = aggregate.commands.places(long_tally.command_ids[version], aggregate.version)
            assert any(version in versions for versions in places)

    tell_of_long(eventstore_uri, long_tally, story)


def test_the_store_keeps_three_snapshots(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        for _ in range(5):
            await tally.grow(10)
            await tally.take()
        assert [body["version"] for body in await tally.snapshots()] == [29, 39, 49]
        metadata = await tally.metadata(snapshot_stream(tally.stream))
        assert metadata == {"$maxCount": 3}
        assert counted(tally.counts)["taken"] == 5

    tell(eventstore_uri, story)


def test_what_others_set_for_the_stream_of_snapshots_stays(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        kept = snapshot_stream(tally.stream)
        tally.operator.set_metadata(kept, {"$maxCount": 7, "why": "an audit"})
        await tally.take()
        metadata = await tally.metadata(kept)
        assert metadata == {"$maxCount": 7, "why": "an audit"}
        assert len(await tally.snapshots()) == 1

    tell(eventstore_uri, story, events=11)


def test_two_processes_take_one_snapshot(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        other = tally.another_process()
        await asyncio.gather(tally.take(), other.take())
        versions = [body["version"] for body in await tally.snapshots()]
        assert versions == [10]
        both = counted(tally.counts) + counted(other.counts)
        assert (both["taken"], both["failed"]) == (1, 0)

    tell(eventstore_uri, story, events=11)


def test_two_processes_store_each_segment_once(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        other = tally.another_process()
        await asyncio.gather(tally.take(), other.take())
        assert [body["number"] for body in await tally.segments()] == [0, 1]
        assert (counted(tally.counts)["failed"], counted(other.counts)["failed"]) == (0, 0)
        assert facts(await tally.another_process().loaded()) == facts(long_tally.whole)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_category_without_a_rule_has_no_snapshots(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        aggregate = await tally.folded()
        tally.loader.consider(aggregate, "another")
        await tally.loader.close()
        assert await tally.snapshots() == []
        assert not await tally.loader.restore(tally.aggregate(), "another")

    tell(eventstore_uri, story, events=11)


def test_the_state_is_not_confused_with_that_of_another_stream(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        fresh = tally.another_tally()
        await fresh.grow(2)
        assert (await fresh.loaded()).state.count == Decimal(2)

    tell(eventstore_uri, story, events=11)
