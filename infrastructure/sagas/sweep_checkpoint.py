"""Remembers in the event store the position up to which a saga's messages are settled."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from domain.stream_name import stream_name
from infrastructure.eventstore.errors import UnreadableEvent
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.retained_stream import RetainedStream
from infrastructure.eventstore.streams import Streams


@dataclass(frozen=True, slots=True)
class SweepCheckpoint:
    """Every message up to `position` (None: the beginning of the log) is settled, but for those at `unsettled`.

    `version` is that of the record that says so; None where none does yet.
    """

    position: int | None = None
    unsettled: tuple[int, ...] = ()
    version: int | None = None


class SweepCheckpoints:
    """One saga's checkpoint, the only visible record of a stream. Another filter has another, and begins anew."""

    def __init__(self, streams: Streams, category: str, pattern: str) -> None:
        self.stream: Final = stream_name(f"{category}_sweep", str(uuid5(NAMESPACE_OID, pattern)))
        self._retained: Final = RetainedStream(streams, self.stream, 1)

    async def read(self) -> SweepCheckpoint:
        """The checkpoint as it stands. Raises StoreUnavailable, UnreadableEvent."""
        newest = await self._retained.newest()
        return SweepCheckpoint() if newest is None else _checkpoint_in(newest)

    async def move(self, before: SweepCheckpoint, position: int | None, unsettled: tuple[int, ...]) -> SweepCheckpoint:
        """Writes the checkpoint anew.

        Raises WrongExpectedVersion where somebody did since it was read, StoreUnavailable, StreamGone, AppendRefused.
        """
        data = json.dumps({"position": position, "unsettled": unsettled}).encode()
        appended = await self._retained.append(NewRecord("SagaSwept", data), before.version)
        return SweepCheckpoint(position, unsettled, appended.version)


def _checkpoint_in(record: Record) -> SweepCheckpoint:
    try:
        stored = json.loads(record.data)
        return SweepCheckpoint(stored["position"], tuple(stored["unsettled"]), record.version)
    except (KeyError, TypeError, ValueError) as error:
        place = record.stream, record.version, record.position or 0
        raise UnreadableEvent(*place, "it holds no sweep checkpoint") from error
