"""A tally that nobody else uses, counted up in its stream, and the snapshots that are taken of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from domain.message import Metadata
from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.aggregate import Aggregate, Segment, Snapshot
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.streams import Streams
from infrastructure.snapshots.loader import SnapshotLoader
from infrastructure.snapshots.record import with_checksum
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.snapshots.store import SnapshotStore
from tests.infrastructure.commands.tally import (
    CODEC,
    CORRELATION,
    NOW,
    Counted,
    OpenTally,
    Tally,
    TallyEvent,
    connected,
    decider,
    request,
)
from tests.infrastructure.eventstore.operator import Operator, operating

RULE = SnapshotRule("tally", (Tally,), every=10)
_PAGE = 1000
TAIL = 10
LONG = 2 * SEGMENT + 200 + TAIL


@dataclass(frozen=True)
class LongTally:
    """A tally of LONG events that tests share and leave unchanged, and what was known of it TAIL events ago.

    `whole` is what a load has to come to.
    """

    whole: Aggregate[Tally]
    snapshot: Snapshot
    segments: tuple[Segment, ...]
    command_ids: tuple[UUID, ...]

    def remembered(self) -> Aggregate[Tally]:
        """As it was folded from the stream."""
        aggregate = Aggregate(self.snapshot.stream, decider.initial, decider.evolve)
        aggregate.restore(replace(self.snapshot, commands=self.snapshot.commands.copy()))
        aggregate.snapshot_version = -1
        aggregate.unsaved = list(self.segments)
        return aggregate


@dataclass
class TallySnapshots:
    """One tally's stream, and the snapshots that one process takes of it."""

    client: CommandClient
    operator: Operator
    rule: SnapshotRule = RULE
    stream: str = field(default_factory=lambda: f"tally-{uuid4()}")
    long: LongTally | None = None

    def __post_init__(self) -> None:
        self.streams = Streams(self.client, CODEC)
        self.counts = CommandCounts()
        self.loader = SnapshotLoader(self.streams, [self.rule], self.counts)

    def another_process(self, rule: SnapshotRule | None = None) -> "TallySnapshots":
        """The same stream, in a process that has nothing of it in memory."""
        return replace(self, rule=rule or self.rule)

    def another_tally(self) -> "TallySnapshots":
        """A new stream, in the same process."""
        return replace(self, stream=f"tally-{uuid4()}", long=None)

    def aggregate(self) -> Aggregate[Tally]:
        return Aggregate(self.stream, decider.initial, decider.evolve)

    async def loaded(self) -> Aggregate[Tally]:
        """As a handler loads: from a snapshot, else as a whole."""
        aggregate = self.aggregate()
        if not await self.loader.restore(aggregate, decider.category):
            await aggregate.catch_up(self.streams)
        return aggregate

    async def folded(self) -> Aggregate[Tally]:
        """The whole stream, without any snapshot."""
        aggregate = self.aggregate()
        await aggregate.catch_up(self.streams)
        return aggregate

    async def grow(self, number: int, command_ids: Sequence[UUID] = ()) -> list[UUID]:
        """Appends so many events, each of a command of its own; the commands' ids."""
        ids = [*command_ids, *(uuid4() for _ in range(number - len(command_ids)))]
        for first in range(0, number, _PAGE):
            records = [_counted(own_id) for own_id in ids[first : first + _PAGE]]
            await self.add(self.stream, *records)
        return ids

    async def take(self) -> Aggregate[Tally]:
        """Loads the tally as a whole, or uses what was remembered of it, and takes its snapshot."""
        aggregate = await self.folded() if self.long is None else self.long.remembered()
        self.loader.consider(aggregate, decider.category)
        await self.loader.close()
        return aggregate

    async def snapshots(self) -> list[dict[str, Any]]:
        """What the visible snapshots say, oldest first."""
        return await self._bodies(snapshot_stream(self.stream))

    async def segments(self) -> list[dict[str, Any]]:
        """What the visible segments say, oldest first."""
        return await self._bodies(segment_stream(self.stream))

    async def put(self, body: Mapping[str, Any] | bytes, kind: str = "SnapshotTaken") -> None:
        """Appends this as the newest snapshot; bytes without a checksum."""
        record = NewRecord(kind, body) if isinstance(body, bytes) else with_checksum(kind, body)
        await self.add(snapshot_stream(self.stream), record)

    async def add(self, stream: str, *records: NewRecord) -> None:
        """Appends whatever the version is."""
        await asyncio.to_thread(self.operator.append, stream, *records)

    async def newest(self, stream: str) -> Record:
        """The last record of a stream that has one."""
        [record] = await self.streams.records(stream, None, 1, backwards=True) or []
        return record

    async def metadata(self, stream: str) -> dict[str, Any]:
        """What is set for a stream for which something is set."""
        metadata = json.loads((await self.newest(f"$${stream}")).data)
        assert isinstance(metadata, dict)
        return metadata

    async def _bodies(self, stream: str) -> list[dict[str, Any]]:
        records = await self.streams.records(stream, 0, 100) or []
        return [json.loads(record.data) for record in records]


def facts(aggregate: Aggregate[Tally]) -> tuple[object, ...]:
    """All of it but for what it remembers of commands and of snapshots."""
    return aggregate.state, aggregate.version, aggregate.position, aggregate.last_id, aggregate.is_whole


def tell(uri: str, story: Callable[[TallySnapshots], Awaitable[None]], events: int = 0) -> None:
    """Runs a story about a tally with so many events."""

    async def run() -> None:
        async with new_tally(uri, events) as tally:
            await story(tally)

    asyncio.run(run())


def tell_of_long(uri: str, long: LongTally, story: Callable[[TallySnapshots], Awaitable[None]]) -> None:
    """Runs a story about the long tally, whose snapshots and segments were dropped."""

    async def run() -> None:
        async with new_tally(uri) as new:
            tally = replace(new, stream=long.snapshot.stream, long=long)
            await SnapshotStore(tally.streams).drop(tally.stream)
            await story(tally)

    asyncio.run(run())


@asynccontextmanager
async def new_tally(uri: str, events: int = 0) -> AsyncIterator[TallySnapshots]:
    """A tally with so many events."""
    async with connected(uri) as client:
        with operating(uri) as operator:
            tally = TallySnapshots(client, operator)
            if events:
                await tally.grow(events)
            yield tally


async def long_tally(uri: str) -> LongTally:
    """A long tally, opened and counted up."""
    async with new_tally(uri) as tally:
        opening = request()
        command = OpenTally(tally_id=tally.stream.removeprefix("tally-"), limit=Decimal(1_000_000))
        await CommandHandler(tally.client, CODEC).handle(decider, command, opening)
        command_ids = await tally.grow(LONG - TAIL - 1)
        aggregate = await tally.folded()
        command_ids += await tally.grow(TAIL)
        return LongTally(
            await tally.folded(), aggregate.snapshot(), tuple(aggregate.unsaved), (opening.command_id, *command_ids)
        )


def recorded(new: NewRecord, stream: str, version: int = 0) -> Record:
    """The record as the store returns it."""
    return Record(stream, version, 0, uuid4(), new.type, new.data, new.metadata, NOW, new.content_type, 0)


def _counted(command_id: UUID) -> NewRecord:
    event: TallyEvent = Counted(by=Decimal(1))
    metadata = Metadata(
        correlation_id=CORRELATION,
        causation_id=command_id,
        command_id=command_id,
        digest="digest",
        actor="anonymous",
        tenant="default",
        schema_version=event.stored_version,
        time=NOW,
    )
    return CODEC.encode(event, metadata)
