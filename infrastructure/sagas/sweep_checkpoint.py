"""Remembers in the event store the position up to which a saga's messages are settled."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.stream_name import stream_name
from infrastructure.eventstore.errors import UnreadableEvent
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.retained_stream import RetainedStream
from infrastructure.eventstore.streams import Streams

_FORMAT: Final = 1
"""Format 0 had no number and no id."""


@dataclass(frozen=True, slots=True)
class SweepCheckpoint:
    """Every message up to `position` (None: the beginning of the log) is settled, but for those at `unsettled`.

    `version` is that of the record that says so; None where none does yet. `event_id` is that of the record at
    `position`, by which another history of the log is told from this one; None where it is not known.
    """

    position: int | None = None
    unsettled: tuple[int, ...] = ()
    version: int | None = None
    event_id: UUID | None = None


class SweepCheckpoints:
    """One saga's checkpoint, the only visible record of a stream. Another filter has another, and begins anew."""

    def __init__(self, streams: Streams, category: str, pattern: str) -> None:
        self.stream: Final = stream_name(f"{category}_sweep", str(uuid5(NAMESPACE_OID, pattern)))
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
        stored = {"format": _FORMAT, "position": position, "unsettled": unsettled, "event_id": event_id}
        record = NewRecord("SagaSwept", json.dumps(stored, default=str).encode())
        appended = await self._retained.append(record, before.version)
        return SweepCheckpoint(position, unsettled, appended.version, event_id)


def _checkpoint_in(record: Record) -> SweepCheckpoint:
    place = record.stream, record.version, record.position or 0
    try:
        stored = json.loads(record.data)
        if stored.get("format", 0) > _FORMAT:
            raise UnreadableEvent(*place, f"a later release has stored it, in format {stored['format']}")
        event_id = stored.get("event_id")
        unsettled = tuple(stored["unsettled"])
        return SweepCheckpoint(
            stored["position"], unsettled, record.version, None if event_id is None else UUID(event_id)
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(*place, "it holds no sweep checkpoint") from error
