"""A tally that nobody else uses, counted up in its stream, and the snapshots that are kept of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from esdbclient import AsyncEventStoreDBClient, NewEvent, RecordedEvent, StreamState

from domain.message import Metadata
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.aggregates.counts import Counts
from infrastructure.aggregates.snapshot import SnapshotRule
from infrastructure.aggregates.snapshotting import Snapshots
from infrastructure.eventstore.reading import Streams
from infrastructure.eventstore.streams import segment_stream, snapshot_stream
from tests.eventstore.tally import CODEC, CORRELATION, NOW, Counted, Tally, TallyEvent, connected, decider

RULE = SnapshotRule("tally", (Tally,), every=10)
_PAGE = 1000


@dataclass
class Shelf:
    """One tally's stream, and the snapshots of one process."""

    client: AsyncEventStoreDBClient
    rule: SnapshotRule = RULE
    stream: str = field(default_factory=lambda: f"tally-{uuid4()}")

    def __post_init__(self) -> None:
        self.streams = Streams(self.client, CODEC)
        self.counts = Counts()
        self.snapshots = Snapshots(self.streams, [self.rule], self.counts)

    def another_process(self, rule: SnapshotRule | None = None) -> "Shelf":
        """The same stream, with nothing of this process remembered."""
        return Shelf(self.client, rule or self.rule, self.stream)

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
        """Loads the tally as a whole, and has its snapshot taken."""
        aggregate = await self.folded()
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
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        await self.add(snapshot_stream(self.stream), NewEvent(type=kind, data=data))

    async def add(self, stream: str, event: NewEvent) -> None:
        await self.client.append_to_stream(stream, current_version=StreamState.ANY, events=[event], timeout=10)

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
