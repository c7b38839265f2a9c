"""A snapshot is taken each so many events, in the background, and what goes wrong there harms no command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from time import monotonic
from uuid import uuid4

import structlog
from esdbclient import AsyncEventStoreDBClient, RecordedEvent, StreamState

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.streams import Streams
from infrastructure.snapshots.loader import Snapshots
from tests.infrastructure.eventstore.proxy import line_to
from tests.infrastructure.commands.tally import CODEC, Counted, Tally, connected
from tests.infrastructure.snapshots.tally_snapshots import RULE, Long, Shelf, tell, tell_of_long


async def count_up(shelf: Shelf, aggregate: Aggregate[Tally], number: int) -> None:
    """What a handler does for so many commands."""
    for _ in range(number):
        [command_id] = await shelf.grow(1)
        record = await shelf.last()
        assert record.commit_position is not None
        aggregate.append([Counted(by=Decimal(1))], record.id, command_id, record.commit_position)
        shelf.snapshots.consider(aggregate, "tally")


def test_one_is_taken_each_so_many_events(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await count_up(shelf, shelf.aggregate(), 35)
        await shelf.snapshots.close()
        assert [said["version"] for said in await shelf.kept()] == [9, 19, 29]
        assert (shelf.counts.taken, shelf.counts.failed, shelf.counts.passed_over) == (3, 0, 0)

    tell(eventstore_uri, story)


def test_after_a_load_it_is_counted_from_the_snapshot_that_was_used(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await count_up(shelf, shelf.aggregate(), 15)
        await shelf.snapshots.close()
        aggregate = await shelf.loaded()
        await count_up(shelf, aggregate, 4)
        await shelf.snapshots.close()
        assert [said["version"] for said in await shelf.kept()] == [9]
        await count_up(shelf, aggregate, 1)
        await shelf.snapshots.close()
        assert [said["version"] for said in await shelf.kept()] == [9, 19]

    tell(eventstore_uri, story)


def test_none_is_taken_of_a_stream_that_lacks_its_beginning(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.client.set_stream_metadata(shelf.stream, metadata={"$tb": 5})
        aggregate = await shelf.take()
        assert (aggregate.is_whole, await shelf.kept(), shelf.counts.taken) == (False, [], 0)

    tell(eventstore_uri, story, events=20)


def test_what_does_not_fit_into_the_queue_is_asked_about_again(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        narrow = Snapshots(shelf.streams, [RULE], shelf.counts, waiting=1)
        other = replace(shelf, stream=f"tally-{uuid4()}")
        await other.grow(11)
        first, second = await shelf.folded(), await other.folded()
        for aggregate in (first, second, first):
            narrow.consider(aggregate, "tally")
        assert (shelf.counts.passed_over, second.snapshot_version) == (1, -1)
        await narrow.close()
        narrow.consider(second, "tally")
        await narrow.close()
        assert [len(await each.kept()) for each in (shelf, other)] == [1, 1]
        assert (shelf.counts.passed_over, shelf.counts.taken) == (1, 2)

    tell(eventstore_uri, story, events=11)


def test_only_the_newest_of_a_stream_waits(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        aggregate = await shelf.folded()
        shelf.snapshots.consider(aggregate, "tally")
        for _ in range(10):
            aggregate.append([Counted(by=Decimal(1))], uuid4(), uuid4(), 1)
        shelf.snapshots.consider(aggregate, "tally")
        await shelf.snapshots.close()
        assert [said["version"] for said in await shelf.kept()] == [20]

    tell(eventstore_uri, story, events=11)


def test_segments_that_could_not_be_stored_are_kept(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        kept = segment_stream(shelf.stream)
        await shelf.client.tombstone_stream(
            kept, current_version=StreamState.ANY
        )  # nothing can be stored there any more
        aggregate = await shelf.folded()
        with structlog.testing.capture_logs() as lines:
            shelf.snapshots.consider(aggregate, "tally")
            await shelf.snapshots.close()
        assert lines == [
            {
                "event": "snapshot_failed",
                "log_level": "warning",
                "stream": shelf.stream,
                "version": SEGMENT,
                "reason": f"StreamGone: {kept} was deleted for good",
            }
        ]
        assert [segment.number for segment in aggregate.unsaved] == [0]
        assert (await shelf.kept(), shelf.counts.taken, shelf.counts.failed) == ([], 0, 1)

    tell(eventstore_uri, story, events=SEGMENT + 1)


def test_segments_that_were_stored_are_not_kept(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        aggregate = await shelf.take()
        assert (aggregate.unsaved, len(await shelf.segments())) == ([], 2)

    tell_of_long(eventstore_uri, long_tally, story)


class Watched(Streams):
    """Notes from which streams it reads."""

    def __init__(self, client: AsyncEventStoreDBClient) -> None:
        super().__init__(client, CODEC)
        self.read: list[str] = []

    async def records(
        self, stream: str, first: int | None, limit: int, *, backwards: bool = False
    ) -> list[RecordedEvent] | None:
        self.read.append(stream)
        return await super().records(stream, first, limit, backwards=backwards)


def test_the_next_one_of_a_long_stream_reads_the_one_before_alone(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        aggregate = await shelf.take()
        before = aggregate.version
        for _ in range(10):
            aggregate.append([Counted(by=Decimal(1))], uuid4(), uuid4(), 1)
        watched = Watched(shelf.client)
        snapshots = Snapshots(watched, [RULE], shelf.counts)
        snapshots.consider(aggregate, "tally")
        await snapshots.close()
        assert [said["version"] for said in await shelf.kept()] == [before, before + 10]
        assert watched.read == [snapshot_stream(shelf.stream)]

    tell_of_long(eventstore_uri, long_tally, story)


@dataclass(frozen=True)
class Secretive:
    """A state that is not what it is stored as."""

    count: Decimal

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def test_a_state_that_would_not_read_back_is_not_stored(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        rule = replace(RULE, states=(Secretive,))
        snapshots = Snapshots(shelf.streams, [rule], shelf.counts)
        aggregate: Aggregate[Secretive] = Aggregate(
            shelf.stream, Secretive(Decimal(0)), lambda state, event: Secretive(state.count + event.by)
        )
        await aggregate.catch_up(shelf.streams)
        snapshots.consider(aggregate, "tally")
        await snapshots.close()
        assert (await shelf.kept(), shelf.counts.taken, shelf.counts.failed) == ([], 0, 1)

    tell(eventstore_uri, story, events=11)


@asynccontextmanager
async def silent(uri: str, patience: float) -> AsyncIterator[tuple[Shelf, Snapshots, Aggregate[Tally]]]:
    """A tally of which a snapshot is due, and a store that does not answer any more, which is waited for so long."""
    async with line_to(uri) as (line, through), connected(through) as client:
        shelf = Shelf(client)
        await shelf.grow(11)
        aggregate = await shelf.folded()
        line.mute()
        yield shelf, Snapshots(Streams(client, CODEC, patience=patience), [RULE], shelf.counts), aggregate
        line.restore()


def test_a_store_that_does_not_answer_delays_nobody_and_the_end_is_bounded(eventstore_uri: str) -> None:
    async def run() -> None:
        async with silent(eventstore_uri, patience=0.5) as (shelf, snapshots, aggregate):
            before, began = asyncio.all_tasks(), monotonic()
            snapshots.consider(aggregate, "tally")
            assert monotonic() - began < 0.1
            await snapshots.close()
            assert monotonic() - began < 5
            assert (shelf.counts.taken, shelf.counts.failed) == (0, 1)
            if left := asyncio.all_tasks() - before:  # gRPC's own, of the call that was given up
                await asyncio.wait(left, timeout=2)
            assert asyncio.all_tasks() <= before

    asyncio.run(run())


def test_an_end_that_the_store_holds_up_leaves_most_of_the_grace(eventstore_uri: str) -> None:
    """A process has ten seconds to end, and more to do in them."""

    async def run() -> None:
        async with silent(eventstore_uri, patience=8.0) as (_, snapshots, aggregate):
            snapshots.consider(aggregate, "tally")
            with structlog.testing.capture_logs() as lines:
                began = monotonic()
                await snapshots.close()
            assert monotonic() - began < 3
            assert lines == [{"event": "snapshots_given_up", "log_level": "warning", "waiting": 0}]

    asyncio.run(run())
