"""A tally that nobody else uses, counted up in its stream, and the snapshots that are kept of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from esdbclient import AsyncEventStoreDBClient, NewEvent, RecordedEvent, StreamState

from domain.message import Metadata
from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.aggregate import Aggregate, Segment, Snapshot
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.aggregates.digested import digested
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.streams import Streams
from infrastructure.snapshots.counts import Counts
from infrastructure.snapshots.loader import Snapshots
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

RULE = SnapshotRule("tally", (Tally,), every=10)
_PAGE = 1000
TAIL = 10
LONG = 2 * SEGMENT + 200 + TAIL


@dataclass(frozen=True)
class Long:
    """A tally of LONG events, for all who leave them as they are; what was remembered of it TAIL events ago.

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
class Shelf:
    """One tally's stream, and the snapshots of one process."""

    client: AsyncEventStoreDBClient
    rule: SnapshotRule = RULE
    stream: str = field(default_factory=lambda: f"tally-{uuid4()}")
    long: Long | None = None

    def __post_init__(self) -> None:
        self.streams = Streams(self.client, CODEC)
        self.counts = Counts()
        self.snapshots = Snapshots(self.streams, [self.rule], self.counts)

    def another_process(self, rule: SnapshotRule | None = None) -> "Shelf":
        """The same stream, with nothing of this process remembered."""
        return Shelf(self.client, rule or self.rule, self.stream, self.long)

    def aggregate(self) -> Aggregate[Tally]:
        return Aggregate(self.stream, decider.initial, decider.evolve)

    async def loaded(self) -> Aggregate[Tally]:
        """As a handler loads: from a snapshot, else as a whole."""
        aggregate = self.aggregate()
        if not await self.snapshots.restore(aggregate, decider.category):
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
            events = [_stored(Counted(by=Decimal(1)), own_id) for own_id in ids[first : first + _PAGE]]
            await self.client.append_to_stream(self.stream, current_version=StreamState.ANY, events=events, timeout=10)
        return ids

    async def take(self) -> Aggregate[Tally]:
        """Loads the tally as a whole, or remembers that it did, and has its snapshot taken."""
        aggregate = await self.folded() if self.long is None else self.long.remembered()
        self.snapshots.consider(aggregate, decider.category)
        await self.snapshots.close()
        return aggregate

    async def kept(self) -> list[dict[str, Any]]:
        """What the snapshots say, oldest first."""
        records = await self.streams.records(snapshot_stream(self.stream), 0, 100) or []
        return [json.loads(record.data) for record in records]

    async def segments(self) -> list[dict[str, Any]]:
        records = await self.streams.records(segment_stream(self.stream), 0, 100) or []
        return [json.loads(record.data) for record in records]

    async def put(self, said: Mapping[str, Any] | bytes, kind: str = "SnapshotTaken") -> None:
        """Puts this where the newest snapshot stands."""
        event = NewEvent(type=kind, data=said) if isinstance(said, bytes) else digested(kind, said)
        await self.add(snapshot_stream(self.stream), event)

    async def add(self, stream: str, event: NewEvent) -> None:
        await self.client.append_to_stream(stream, current_version=StreamState.ANY, events=[event], timeout=10)

    async def place(self) -> int:
        """The number of the newest snapshot."""
        [record] = await self.streams.records(snapshot_stream(self.stream), None, 1, backwards=True) or []
        return record.stream_position

    async def last(self) -> RecordedEvent:
        records = await self.streams.records(self.stream, None, 1, backwards=True)
        assert records
        return records[0]


def same(one: Aggregate[Tally], other: Aggregate[Tally]) -> bool:
    """Whether both are the same but for what they remember of commands and of snapshots."""

    def facts(each: Aggregate[Tally]) -> tuple[object, ...]:
        return each.state, each.version, each.position, each.last_id, each.is_whole

    return facts(one) == facts(other)


@asynccontextmanager
async def shelf(uri: str, events: int = 0) -> AsyncIterator[Shelf]:
    """A tally with so many events."""
    async with connected(uri) as client:
        own = Shelf(client)
        if events:
            await own.grow(events)
        yield own


def tell(uri: str, story: Callable[[Shelf], Awaitable[None]], events: int = 0) -> None:
    """Runs a story about a tally with so many events."""

    async def run() -> None:
        async with shelf(uri, events) as own:
            await story(own)

    asyncio.run(run())


def recorded(event: NewEvent, stream: str, position: int = 0) -> RecordedEvent:
    """The record as the store gives it out."""
    return RecordedEvent(
        type=event.type,
        data=event.data,
        metadata=event.metadata,
        content_type=event.content_type,
        id=event.id,
        stream_name=stream,
        stream_position=position,
        commit_position=0,
        prepare_position=0,
        recorded_at=NOW,
    )


def tell_of_long(uri: str, long: Long, story: Callable[[Shelf], Awaitable[None]]) -> None:
    """Runs a story about the long tally, of which nothing is kept any more."""

    async def run() -> None:
        async with connected(uri) as client:
            own = Shelf(client, stream=long.snapshot.stream, long=long)
            await SnapshotStore(own.streams).drop(own.stream)
            await story(own)

    asyncio.run(run())


async def grown(uri: str) -> Long:
    """A long tally, opened and counted up."""
    async with shelf(uri) as own:
        opening = request()
        command = OpenTally(tally_id=own.stream.removeprefix("tally-"), limit=Decimal(1_000_000))
        await CommandHandler(own.client, CODEC).handle(decider, command, opening)
        command_ids = await own.grow(LONG - TAIL - 1)
        aggregate = await own.folded()
        command_ids += await own.grow(TAIL)
        return Long(
            await own.folded(), aggregate.snapshot(), tuple(aggregate.unsaved), (opening.command_id, *command_ids)
        )


def _stored(event: TallyEvent, command_id: UUID) -> NewEvent:
    said = Metadata(
        correlation_id=CORRELATION,
        causation_id=command_id,
        command_id=command_id,
        digest="digest",
        actor="anonymous",
        tenant="default",
        schema_version=event.stored_version,
        time=NOW,
    )
    return CODEC.encode(event, uuid4(), said)
