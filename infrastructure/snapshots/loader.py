"""Starts loads at snapshots, and has new ones taken in the background."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from domain.message import Recorded
from infrastructure.aggregates.aggregate import Aggregate, Snapshot
from infrastructure.command_counts import CommandCounts
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.outages import Outages
from infrastructure.snapshots.record import snapshot_in
from infrastructure.snapshots.rule import SnapshotRule, Unusable
from infrastructure.snapshots.segment_index import filters_of_segments
from infrastructure.snapshots.store import SnapshotStore
from infrastructure.snapshots.writer import SnapshotJob, SnapshotWriter

_log: Final = structlog.get_logger()


class SnapshotLoader:
    """The snapshots of every category that has a rule; at most `waiting` wait to be taken."""

    def __init__(
        self,
        streams: Streams,
        rules: Iterable[SnapshotRule],
        counts: CommandCounts,
        outages: Outages | None = None,
        *,
        waiting: int = 256,
    ) -> None:
        self._streams: Final = streams
        self._stored: Final = SnapshotStore(streams)
        self._rules: Final = {rule.category: rule for rule in rules}
        self._counts: Final = counts
        self._writer: Final = SnapshotWriter(self._stored, counts, waiting, outages)

    async def restore(self, aggregate: Aggregate[Any], category: str) -> bool:
        """Loads an aggregate of which nothing was read, from its newest usable snapshot to the end of its stream.

        False where there is none; then the aggregate is unchanged. Raises as `Aggregate.catch_up`.
        """
        rule = self._rules.get(category)
        if rule is None:
            return False
        stream, newest = aggregate.stream, await self._stored.newest(aggregate.stream)
        if newest is None:
            return False
        usable = await self._usable([newest], stream, rule)
        if usable is None:
            usable = await self._usable(await self._stored.older(stream, newest), stream, rule)
        if usable is None:
            return False
        self._counts.snapshots.labels("restored").inc()
        aggregate.restore(usable.snapshot)
        aggregate.take(usable.tail)
        if not usable.complete:
            await aggregate.catch_up(self._streams)
        return True

    def interval(self, category: str) -> int | None:
        """After how many events streams of the category get a snapshot; None where they get none."""
        rule = self._rules.get(category)
        return None if rule is None else rule.every

    def consider(self, aggregate: Aggregate[Any], category: str) -> None:
        """Queues a snapshot where one is due; where the queue is full, it stays due."""
        rule = self._rules.get(category)
        if rule is None or not aggregate.is_whole or aggregate.version - aggregate.snapshot_version < rule.every:
            return
        if self._writer.put(SnapshotJob(aggregate, aggregate.snapshot(), tuple(aggregate.unsaved), rule)):
            aggregate.snapshot_version = aggregate.version
        else:
            self._counts.snapshots.labels("passed_over").inc()

    async def close(self) -> None:
        """Takes the snapshots that are queued, for some seconds at most."""
        await self._writer.close()

    async def _usable(self, records: Iterable[Record], stream: str, rule: SnapshotRule) -> "_Usable | None":
        for record in records:
            try:
                return await self._verified(record, stream, rule)
            except Unusable as unusable:
                self._skip(record, stream, unusable)
        return None

    async def _verified(self, record: Record, stream: str, rule: SnapshotRule) -> "_Usable":
        """The snapshot, checked against its stream. Raises Unusable."""
        stored = snapshot_in(record, stream, rule)
        page, filters = await asyncio.gather(
            self._streams.page(stream, stored.version),
            filters_of_segments(self._stored.segments(stream), stream, stored.commands.sealed),
        )
        if not page or (page[0].version, page[0].id) != (stored.version, stored.last_id):
            raise Unusable("newer-than-stream", stored.version)
        snapshot = stored.restored(rule, page[0].position, filters)
        return _Usable(snapshot, [each for each in page if each.version > stored.version], len(page) < PAGE)

    def _skip(self, record: Record, stream: str, unusable: Unusable) -> None:
        self._counts.skipped.labels(unusable.reason).inc()
        _log.warning(
            "snapshot_skipped",
            stream=stream,
            snapshot=record.version,
            version=unusable.version,
            reason=unusable.reason,
        )


@dataclass(frozen=True, slots=True)
class _Usable:
    """A snapshot, the events after it, and whether these reach the end of the stream."""

    snapshot: Snapshot
    tail: list[Recorded[Any]]
    complete: bool
