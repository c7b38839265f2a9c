"""A load begins at the newest snapshot, and knows all that a load of the whole stream knows."""

import asyncio
from decimal import Decimal
from uuid import uuid4

from domain.stream_name import snapshot_stream
from infrastructure.aggregates.command_ids import RECENT, SEGMENT
from tests.infrastructure.snapshots.tally_snapshots import LONG, RULE, Long, Shelf, same, tell, tell_of_long


def test_nothing_is_restored_where_no_snapshot_was_taken(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        aggregate = shelf.aggregate()
        assert not await shelf.snapshots.restore(aggregate, "tally")
        assert same(aggregate, shelf.aggregate())
        assert (shelf.counts.restored, dict(shelf.counts.skipped)) == (0, {})

    tell(eventstore_uri, story, events=5)


def test_a_snapshot_and_the_tail_are_the_whole_stream(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        tail = await shelf.grow(3)
        other = shelf.another_process()
        aggregate = await other.loaded()
        whole = await shelf.folded()
        assert same(aggregate, whole)
        assert (aggregate.version, aggregate.snapshot_version) == (13, 10)
        assert aggregate.commands.recent == whole.commands.recent
        assert tail[-1] in aggregate.commands.recent
        assert (other.counts.restored, dict(other.counts.skipped)) == (1, {})

    tell(eventstore_uri, story, events=11)


def test_a_tail_longer_than_a_page_is_read_to_its_end(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        await shelf.grow(1100)
        assert same(await shelf.loaded(), await shelf.folded())
        assert shelf.counts.restored == 1

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_says_what_it_is_of(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        aggregate = await shelf.take()
        recent = {str(command_id): [place, place] for place, command_id in enumerate(aggregate.commands.recent)}
        [said] = await shelf.kept()
        taken_at = said.pop("taken_at")
        assert taken_at.endswith("+00:00")
        assert said == {
            "stream": shelf.stream,
            "version": 10,
            "position": aggregate.position,
            "last_id": str(aggregate.last_id),
            "format": 1,
            "fingerprint": RULE.fingerprint,
            "state": {"is": "Tally", "limit": None, "count": "11"},
            "commands": {"recent": recent, "sealed": 0, "unsealed": None},
        }

    tell(eventstore_uri, story, events=11)


def test_commands_from_long_before_the_snapshot_are_known(eventstore_uri: str, long_tally: Long) -> None:
    """By the recent ones, by the filter of the last segment, and by those of the sealed segments."""

    async def story(shelf: Shelf) -> None:
        taken = await shelf.take()
        assert [said["number"] for said in await shelf.segments()] == [0, 1]
        aggregate = await shelf.another_process().loaded()
        assert same(aggregate, long_tally.whole)
        assert (aggregate.snapshot_version, len(aggregate.commands.sealed)) == (taken.version, 2)
        for version in (0, SEGMENT - 1, SEGMENT, 2 * SEGMENT, LONG - RECENT - 1, LONG - 1):
            places = aggregate.commands.places(long_tally.command_ids[version], aggregate.version)
            assert any(version in versions for versions in places)

    tell_of_long(eventstore_uri, long_tally, story)


def test_the_store_keeps_three_snapshots(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        for _ in range(5):
            await shelf.grow(10)
            await shelf.take()
        assert [said["version"] for said in await shelf.kept()] == [29, 39, 49]
        metadata, _ = await shelf.client.get_stream_metadata(snapshot_stream(shelf.stream))
        assert metadata == {"$maxCount": 3}
        assert shelf.counts.taken == 5

    tell(eventstore_uri, story)


def test_what_others_set_for_the_stream_of_snapshots_stays(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        kept = snapshot_stream(shelf.stream)
        await shelf.client.set_stream_metadata(kept, metadata={"$maxCount": 7, "why": "an audit"})
        await shelf.take()
        metadata, _ = await shelf.client.get_stream_metadata(kept)
        assert metadata == {"$maxCount": 7, "why": "an audit"}
        assert len(await shelf.kept()) == 1

    tell(eventstore_uri, story, events=11)


def test_two_processes_take_one_snapshot(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        other = shelf.another_process()
        await asyncio.gather(shelf.take(), other.take())
        versions = [said["version"] for said in await shelf.kept()]
        assert versions == [10]
        assert (shelf.counts.taken + other.counts.taken, shelf.counts.failed + other.counts.failed) == (1, 0)

    tell(eventstore_uri, story, events=11)


def test_two_processes_store_each_segment_once(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        other = shelf.another_process()
        await asyncio.gather(shelf.take(), other.take())
        assert [said["number"] for said in await shelf.segments()] == [0, 1]
        assert (shelf.counts.failed, other.counts.failed) == (0, 0)
        assert same(await shelf.another_process().loaded(), long_tally.whole)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_category_without_a_rule_has_no_snapshots(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        aggregate = await shelf.folded()
        shelf.snapshots.consider(aggregate, "another")
        await shelf.snapshots.close()
        assert await shelf.kept() == []
        assert not await shelf.snapshots.restore(shelf.aggregate(), "another")

    tell(eventstore_uri, story, events=11)


def test_the_state_is_not_confused_with_that_of_another_stream(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        fresh = Shelf(shelf.client, stream=f"tally-{uuid4()}")
        await fresh.grow(2)
        assert (await fresh.loaded()).state.count == Decimal(2)

    tell(eventstore_uri, story, events=11)
