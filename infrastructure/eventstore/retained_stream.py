"""A stream that the service keeps for itself, of which the store may retain the newest records alone."""

import json
from collections.abc import Sequence
from typing import Final

from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.errors import StreamGone, WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.streams import Streams

_SOFT_DELETED: Final = 2**63 - 1


class RetainedStream:
    """One stream; `retained` is the number of records that the store keeps of it, None: all. A deleted one is empty.

    All of it raises StoreUnavailable; what appends, also WrongExpectedVersion, StreamGone, AppendRefused,
    EventTooLarge, Overloaded.
    """

    def __init__(self, streams: Streams, name: str, retained: int | None) -> None:
        self.name: Final = name
        self._streams: Final = streams
        self._retained: Final = retained

    async def newest(self) -> Record | None:
        """Its last record."""
        return await self._newest(self.name)

    async def records(self, first: int | None, limit: int, *, backwards: bool = False) -> list[Record]:
        """At most `limit` visible records from version `first` on; backwards from its end where that is None."""
        return await self._records(self.name, first, limit, backwards=backwards)

    async def append(self, record: NewRecord, after: int | None) -> Appended:
        """Puts a record behind version `after`; None: behind what is not visible, if anything is there."""
        end = await self._end() if after is None else after
        if end == -1 and self._retained is not None:
            await self._bound(self._retained)
        return await self._streams.append(self.name, end, [record])

    async def append_singly(self, records: Sequence[NewRecord]) -> None:
        """Puts records behind the newest, each by an append of its own, for their size."""
        newest = await self.newest() if records else None
        end = await self._end() if newest is None else newest.version
        for place, record in enumerate(records):
            await self._streams.append(self.name, end + place, [record])

    async def truncate(self, record_metadata: bytes = b"", before: int | None = None) -> bool:
        """Truncates away all that is there, or all before a version; False where nothing was.

        What else is set for the stream stays.
        """
        newest = await self.newest()
        if newest is None:
            return False
        written = await self._newest(self._metastream)
        metadata, end = await self._metadata(), newest.version + 1
        known, wanted = metadata.get("$tb"), end if before is None else min(before, end)
        if isinstance(known, int) and known >= wanted:
            return False
        metadata = {**metadata, "$tb": wanted}
        await self._write_metadata(metadata, -1 if written is None else written.version, record_metadata)
        return True

    @property
    def _metastream(self) -> str:
        return f"$${self.name}"

    async def _bound(self, retained: int) -> None:
        """Metadata that somebody else has set are left as they are."""
        try:
            await self._write_metadata({"$maxCount": retained}, -1)
        except WrongExpectedVersion:
            return

    async def _end(self) -> int:
        """The version of the last record where nothing is visible: all was truncated away, or there is none, -1."""
        truncated_before = (await self._metadata()).get("$tb", 0)
        return truncated_before - 1 if isinstance(truncated_before, int) and truncated_before < _SOFT_DELETED else -1

    async def _metadata(self) -> dict[str, object]:
        newest = await self._newest(self._metastream)
        try:
            metadata = None if newest is None else json.loads(newest.data)
        except ValueError:
            return {}
        return metadata if isinstance(metadata, dict) else {}

    async def _write_metadata(self, metadata: dict[str, object], version: int, record_metadata: bytes = b"") -> None:
        record = NewRecord("$metadata", json.dumps(metadata).encode(), record_metadata)
        await self._streams.append(self._metastream, version, [record])

    async def _newest(self, stream: str) -> Record | None:
        return next(iter(await self._records(stream, None, 1, backwards=True)), None)

    async def _records(self, stream: str, first: int | None, limit: int, *, backwards: bool = False) -> list[Record]:
        try:
            return await self._streams.records(stream, first, limit, backwards=backwards) or []
        except StreamGone:
            return []
