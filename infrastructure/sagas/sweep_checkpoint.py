"""Remembers in the event store the position up to which a saga's messages are settled."""

import json
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from domain.stream_name import stream_name
from infrastructure.eventstore.errors import UnreadableEvent
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.retained_stream import RetainedStream
from infrastructure.eventstore.streams import Streams

_FORMAT: Final = 1
"""Format 0 had no number and no id. A release that knows no `begin` leaves it out."""


@dataclass(frozen=True, slots=True)
class SweepCheckpoint:
    """Every message up to `position` (None: the beginning of the log) is settled, but for those at `unsettled`.

    `version` is that of the record that says so; None where none does yet. `event_id` is that of the record at
    `position`, by which another history of the log is told from this one; None where it is not known. What lies at
    `begin` or before was never for the saga, or was settled under another filter; None: nothing.
    """

    position: int | None = None
    unsettled: tuple[int, ...] = ()
    version: int | None = None
    event_id: UUID | None = None
    begin: int | None = None


class SweepCheckpoints:
    """One saga's checkpoint, the only visible record of a stream. Another filter has another."""

    def __init__(self, streams: Streams, category: str, own: UUID) -> None:
        self.stream: Final = stream_name(f"{category}_sweep", str(own))
        self._retained: Final = RetainedStream(streams, self.stream, 1)

    async def read(self) -> SweepCheckpoint:
        """The checkpoint as it stands. Raises StoreUnavailable, UnreadableEvent."""
        newest = await self._retained.newest()
        return SweepCheckpoint() if newest is None else _checkpoint_in(newest)

    async def move(
        self,
        before: SweepCheckpoint,
        position: int | None,
        unsettled: tuple[int, ...],
        event_id: UUID | None = None,
    ) -> SweepCheckpoint:
        """Writes the checkpoint anew.

        Raises WrongExpectedVersion where somebody did since it was read, StoreUnavailable, StreamGone, AppendRefused.
        """
        return await self.begin(SweepCheckpoint(position, unsettled, None, event_id, before.begin), before.version)

    async def begin(self, first: SweepCheckpoint, version: int | None = None) -> SweepCheckpoint:
        """Writes one that does not follow from the one before, of this version, None where there is none.

        Raises as `move`.
        """
        stored: dict[str, object] = {"format": _FORMAT, "position": first.position, "unsettled": first.unsettled}
        stored |= {"event_id": first.event_id, "begin": first.begin}
        record = NewRecord("SagaSwept", json.dumps(stored, default=str).encode())
        appended = await self._retained.append(record, version)
        return replace(first, version=appended.version)


def _checkpoint_in(record: Record) -> SweepCheckpoint:
    place = record.stream, record.version, record.position or 0
    try:
        stored = json.loads(record.data)
        if stored.get("format", 0) > _FORMAT:
            raise UnreadableEvent(*place, f"a later release has stored it, in format {stored['format']}")
        event_id = stored.get("event_id")
        unsettled = tuple(stored["unsettled"])
        known = None if event_id is None else UUID(event_id)
        return SweepCheckpoint(stored["position"], unsettled, record.version, known, stored.get("begin"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(*place, "it holds no sweep checkpoint") from error
