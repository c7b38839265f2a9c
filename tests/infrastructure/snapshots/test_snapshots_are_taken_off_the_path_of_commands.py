"""A snapshot is taken every so many events, in the background, and a failure there harms no command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from time import monotonic
from uuid import uuid4

import structlog

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import Streams
from infrastructure.outages import Outages
from infrastructure.snapshots.loader import SnapshotLoader
from tests.infrastructure.commands.tally import CODEC, Counted, Tally, connected
from tests.infrastructure.eventstore.proxy import line_to
from tests.infrastructure.snapshots.tally_snapshots import (
    RULE,
    LongTally,
    TallySnapshots,
    new_tally,
    tell,
    tell_of_long,
)
from tests.support.counted import counted


async def count_up(tally: TallySnapshots, aggregate: Aggregate[Tally], number: int) -> None:
    """What a handler does for so many commands."""
    for _ in range(number):
        [command_id] = await tally.grow(1)
        record = await tally.newest(tally.stream)
        assert record.position is not None
        aggregate.append([Counted(by=Decimal(1))], record.id, command_id, record.position)
        tally.loader.consider(aggregate, "tally")


def test_one_is_taken_every_so_many_events(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await count_up(tally, tally.aggregate(), 35)
        await tally.loader.close()
        assert [body["version"] for body in await tally.snapshots()] == [9, 19, 29]
        assert counted(tally.counts) == {"taken": 3}

    tell(eventstore_uri, story)


def test_after_a_load_it_is_counted_from_the_snapshot_that_was_used(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await count_up(tally, tally.aggregate(), 15)
        await tally.loader.close()
        aggregate = await tally.loaded()
        await count_up(tally, aggregate, 4)
        await tally.loader.close()
        assert [body["version"] for body in await tally.snapshots()] == [9]
        await count_up(tally, aggregate, 1)
        await tally.loader.close()
        assert [body["version"] for body in await tally.snapshots()] == [9, 19]

    tell(eventstore_uri, story)


def test_none_is_taken_of_a_stream_that_lacks_its_beginning(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        tally.operator.set_metadata(tally.stream, {"$tb": 5})
        aggregate = await tally.take()
        assert (aggregate.is_whole, await tally.snapshots(), counted(tally.counts)["taken"]) == (False, [], 0)

    tell(eventstore_uri, story, events=20)


def test_one_that_does_not_fit_into_the_queue_is_taken_later(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        narrow = SnapshotLoader(tally.streams, [RULE], tally.counts, waiting=1)
        other = tally.another_tally()
        await other.grow(11)
        first, second = await tally.folded(), await other.folded()
        for aggregate in (first, second, first):
            narrow.consider(aggregate, "tally")
        assert (counted(tally.counts)["passed_over"], second.snapshot_version) == (1, -1)
        await narrow.close()
        narrow.consider(second, "tally")
        await narrow.close()
        assert [len(await each.snapshots()) for each in (tally, other)] == [1, 1]
        assert counted(tally.counts) == {"passed_over": 1, "taken": 2}

    tell(eventstore_uri, story, events=11)


def test_only_the_newest_of_a_stream_waits(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        aggregate = await tally.folded()
        tally.loader.consider(aggregate, "tally")
        for _ in range(10):
            aggregate.append([Counted(by=Decimal(1))], uuid4(), uuid4(), 1)
        tally.loader.consider(aggregate, "tally")
        await tally.loader.close()
        assert [body["version"] for body in await tally.snapshots()] == [20]

    tell(eventstore_uri, story, events=11)


def test_segments_that_could_not_be_stored_are_kept(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        kept = segment_stream(tally.stream)
        tally.operator.tombstone(kept)  # nothing can be stored there any more
        aggregate = await tally.folded()
        with structlog.testing.capture_logs() as lines:
            tally.loader.consider(aggregate, "tally")
            await tally.loader.close()
        assert lines == [
            {
                "event": "snapshot_failed",
                "log_level": "warning",
                "stream": tally.stream,
                "version": SEGMENT,
                "reason": f"StreamGone: {kept} was deleted for good",
            }
        ]
        assert [segment.number for segment in aggregate.unsaved] == [0]
        assert (await tally.snapshots(), counted(tally.counts)) == ([], {"failed": 1})

    tell(eventstore_uri, story, events=SEGMENT + 1)


def test_segments_that_were_stored_are_not_kept(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        aggregate = await tally.take()
        assert (aggregate.unsaved, len(await tally.segments())) == ([], 2)

    tell_of_long(eventstore_uri, long_tally, story)


class WatchedStreams(Streams):
    """Remembers from which streams it reads."""

    def __init__(self, client: CommandClient) -> None:
        super().__init__(client, CODEC)
        self.read: list[str] = []

    async def records(
        self, stream: str, first: int | None, limit: int, *, backwards: bool = False
    ) -> list[Record] | None:
        self.read.append(stream)
        return await super().records(stream, first, limit, backwards=backwards)


def test_the_next_one_of_a_long_stream_reads_only_the_one_before(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        aggregate = await tally.take()
        before = aggregate.version
        for _ in range(10):
            aggregate.append([Counted(by=Decimal(1))], uuid4(), uuid4(), 1)
        watched = WatchedStreams(tally.client)
        snapshots = SnapshotLoader(watched, [RULE], tally.counts)
        snapshots.consider(aggregate, "tally")
        await snapshots.close()
        assert [body["version"] for body in await tally.snapshots()] == [before, before + 10]
        assert watched.read == [snapshot_stream(tally.stream)]

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
    async def story(tally: TallySnapshots) -> None:
        rule = replace(RULE, states=(Secretive,))
        snapshots = SnapshotLoader(tally.streams, [rule], tally.counts)
        aggregate: Aggregate[Secretive] = Aggregate(
            tally.stream, Secretive(Decimal(0)), lambda state, event: Secretive(state.count + event.by)
        )
        await aggregate.catch_up(tally.streams)
        snapshots.consider(aggregate, "tally")
        await snapshots.close()
        assert (await tally.snapshots(), counted(tally.counts)) == ([], {"failed": 1})

    tell(eventstore_uri, story, events=11)


@asynccontextmanager
async def silent(uri: str, patience: float) -> AsyncIterator[tuple[TallySnapshots, SnapshotLoader, Aggregate[Tally]]]:
    """A tally whose snapshot is due, and a store that no longer answers; each call waits `patience` seconds for it."""
    async with line_to(uri) as (line, through), connected(through) as client, new_tally(uri) as direct:
        tally = replace(direct, client=client)
        await tally.grow(11)
        aggregate = await tally.folded()
        line.mute()
        streams = Streams(client, CODEC, patience=patience)
        yield tally, SnapshotLoader(streams, [RULE], tally.counts, Outages()), aggregate
        line.restore()


def test_a_store_that_does_not_answer_costs_the_snapshot_alone(eventstore_uri: str) -> None:
    async def run() -> None:
        async with silent(eventstore_uri, patience=0.5) as (tally, snapshots, aggregate):
            before, began = asyncio.all_tasks(), monotonic()
            with structlog.testing.capture_logs() as lines:
                snapshots.consider(aggregate, "tally")
                await snapshots.close()
            assert [line["event"] for line in lines] == ["outage_began"]
            assert monotonic() - began < 5
            assert counted(tally.counts) == {"failed": 1}
            if left := asyncio.all_tasks() - before:  # gRPC's own, of the call that was cancelled
                await asyncio.wait(left, timeout=2)
            assert asyncio.all_tasks() <= before

    asyncio.run(run())


def test_a_silent_store_delays_no_command_and_hardly_the_end(eventstore_uri: str) -> None:
    """A process has ten seconds to end, and more to do in them."""

    async def run() -> None:
        async with silent(eventstore_uri, patience=8.0) as (_, snapshots, aggregate):
            began = monotonic()
            snapshots.consider(aggregate, "tally")
            assert monotonic() - began < 2
            with structlog.testing.capture_logs() as lines:
                began = monotonic()
                await snapshots.close()
            assert monotonic() - began < 3
            assert lines == [{"event": "snapshots_given_up", "log_level": "warning", "waiting": 0}]

    asyncio.run(run())
