"""The streams that snapshots and sealed segments are kept in: their records read, and added to."""

import json
from collections.abc import Sequence
from typing import Final

from esdbclient import NewEvent, RecordedEvent

from infrastructure.eventstore.errors import RaceLost, StreamGone
from infrastructure.eventstore.reading import Streams
from infrastructure.eventstore.streams import segment_stream, snapshot_stream

KEPT: Final = 3


class SnapshotStreams:
    """What is kept beside the streams of aggregates; a stream of it that was deleted holds nothing.

    All of it raises StoreUnavailable; what adds, also RaceLost, StreamGone and AppendRefused.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams: Final = streams

    async def newest(self, stream: str) -> RecordedEvent | None:
        """The newest snapshot of a stream."""
        return await self._newest(snapshot_stream(stream))

    async def older(self, stream: str, newest: RecordedEvent) -> list[RecordedEvent]:
        """Those that are left besides the newest, the newer first."""
        if newest.stream_position == 0:
            return []
        return await self._records(snapshot_stream(stream), newest.stream_position - 1, KEPT - 1, backwards=True)

    async def segments(self, stream: str, first: int | None, limit: int) -> list[RecordedEvent]:
        """What is visible of a stream's segments from that record on, or the newest of all where that is None."""
        return await self._records(segment_stream(stream), first, limit, backwards=first is None)

    async def record(self, stream: str, version: int) -> RecordedEvent | None:
        """That record of the aggregate's own stream; None where it is not, or no more, to be seen."""
        records = await self._records(stream, version, 1)
        return next((record for record in records if record.stream_position == version), None)

    async def add_snapshot(self, stream: str, event: NewEvent, newest: RecordedEvent | None) -> None:
        """Puts a snapshot behind the newest of the others, of which KEPT are left."""
        kept = snapshot_stream(stream)
        end = await self._end(kept, newest)
        if end == -1:
            await self._bound(kept)
        await self._streams.append(kept, end, [event])

    async def add_segments(self, stream: str, events: Sequence[NewEvent]) -> None:
        """Puts segments behind the others, each by an append of its own, for their size."""
        kept = segment_stream(stream)
        end = await self._end(kept, await self._newest(kept)) if events else -1
        for place, event in enumerate(events):
            await self._streams.append(kept, end + place, [event])

    async def drop(self, stream: str) -> bool:
        """Truncates away all that is stored beside a stream; False where nothing was. What is set there else stays."""
        return any([await self._truncate(kept) for kept in (snapshot_stream(stream), segment_stream(stream))])

    async def _truncate(self, kept: str) -> bool:
        newest = await self._newest(kept)
        if newest is None:
            return False
        written = await self._newest(f"$${kept}")
        metadata = {**await self._metadata(kept), "$tb": newest.stream_position + 1}
        event = NewEvent(type="$metadata", data=json.dumps(metadata).encode())
        await self._streams.append(f"$${kept}", -1 if written is None else written.stream_position, [event])
        return True

    async def _newest(self, kept: str) -> RecordedEvent | None:
        return next(iter(await self._records(kept, None, 1, backwards=True)), None)

    async def _end(self, kept: str, newest: RecordedEvent | None) -> int:
        """The version of the last record, also where it was truncated away with all others; -1 where there is none."""
        if newest is not None:
            return newest.stream_position
        truncated_before = (await self._metadata(kept)).get("$tb", 0)
        return truncated_before - 1 if isinstance(truncated_before, int) and truncated_before < 2**63 - 1 else -1

    async def _bound(self, kept: str) -> None:
        """Has the store keep a few alone; metadata that somebody else has set are left as they are."""
        event = NewEvent(type="$metadata", data=json.dumps({"$maxCount": KEPT}).encode())
        try:
            await self._streams.append(f"$${kept}", -1, [event])
        except RaceLost:
            return

    async def _metadata(self, kept: str) -> dict[str, object]:
        newest = await self._newest(f"$${kept}")
        try:
            said = None if newest is None else json.loads(newest.data)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    async def _records(
        self, stream: str, first: int | None, limit: int, *, backwards: bool = False
    ) -> list[RecordedEvent]:
        try:
            return await self._streams.records(stream, first, limit, backwards=backwards) or []
        except StreamGone:
            return []
