"""The streams of snapshots and of sealed segments: reads, checks, appends and drops their records."""

from collections.abc import Sequence
from typing import Final

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.retained_stream import RetainedStream
from infrastructure.eventstore.streams import Streams
from infrastructure.snapshots.record import StoredSnapshot, snapshot_in
from infrastructure.snapshots.rule import SnapshotRule, Unusable
from infrastructure.snapshots.segment_index import Place, Read, filters_of_segments

RETAINED: Final = 3


class SnapshotStore:
    """What is stored beside the streams of aggregates; of snapshots, the newest RETAINED.

    All of it raises StoreUnavailable; what appends, also WrongExpectedVersion, StreamGone, AppendRefused,
    EventTooLarge, Overloaded.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams: Final = streams

    async def newest(self, stream: str) -> Record | None:
        """The newest snapshot of a stream."""
        return await self._snapshots(stream).newest()

    async def older(self, stream: str, newest: Record) -> list[Record]:
        """The retained ones before the newest, newest first."""
        if newest.version == 0:
            return []
        return await self._snapshots(stream).records(newest.version - 1, RETAINED - 1, backwards=True)

    def segments(self, stream: str) -> Read:
        """A function that reads a stream's segments, for the searches of `segment_index`."""

        async def read(place: Place) -> Sequence[Record]:
            return await self._segments(stream).records(place.first, place.limit, backwards=place.first is None)

        return read

    async def record(self, stream: str, version: int) -> Record | None:
        """The record of the aggregate's own stream at this version; None where none is visible."""
        try:
            records = await self._streams.records(stream, version, 1) or []
        except StreamGone:
            return None
        return next((record for record in records if record.version == version), None)

    async def checked(self, record: Record, stream: str, rule: SnapshotRule) -> StoredSnapshot:
        """The content of a record that a load could start at. Raises Unusable, and what reading raises."""
        stored = snapshot_in(record, stream, rule)
        filters = await filters_of_segments(self.segments(stream), stream, stored.commands.sealed)
        stored.restored(rule, stored.position, filters)
        last = await self.record(stream, stored.version)
        if last is None or last.id != stored.last_id:
            raise Unusable("newer-than-stream", stored.version)
        return stored

    async def add_snapshot(self, stream: str, record: NewRecord, newest: Record | None) -> None:
        """Appends a snapshot after the newest, None where none is visible."""
        await self._snapshots(stream).append(record, None if newest is None else newest.version)

    async def add_segments(self, stream: str, records: Sequence[NewRecord]) -> None:
        """Appends segments after the newest."""
        await self._segments(stream).append_singly(records)

    async def drop(self, stream: str, metadata: bytes = b"") -> bool:
        """Truncates all that is stored beside a stream; False where nothing was.

        `metadata` are those of the records which say so: who had it done, say.
        """
        return any([await kept.truncate(metadata) for kept in (self._snapshots(stream), self._segments(stream))])

    def _snapshots(self, stream: str) -> RetainedStream:
        return RetainedStream(self._streams, snapshot_stream(stream), RETAINED)

    def _segments(self, stream: str) -> RetainedStream:
        return RetainedStream(self._streams, segment_stream(stream), None)
