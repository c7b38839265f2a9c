"""Decodes records once for the projections that share a subscription, and tells what each of them makes of one."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UNREADABLE, UnknownEventType
from infrastructure.eventstore.frames import CaughtUp, CheckpointReached
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.record_messages import RecordMessage, record_in
from infrastructure.subscriptions.frames import Frame, Happened, Passed, SharedFrame, Undecoded, Unreadable
from projections.projection import Projection

ReadRecord: TypeAlias = Callable[[Record], Frame]
Absent: TypeAlias = Mapping[str, Collection[int]]
"""Versions by stream: the events that a projection is to treat as if they were not there."""


def decoder_of(
    projections: Iterable[Projection[Any]], codec: EventCodec
) -> Callable[[RecordMessage], Happened | Undecoded]:
    """Decodes what any of them handles. What can't be decoded is not refused yet: for another it may mean nothing."""
    wanted = _handled(projections)
    decode_record, event_in = _record_decoder(wanted, codec), codec.message_reader(wanted)

    def decode(message: RecordMessage) -> Happened | Undecoded:
        recorded = event_in(message)
        return decode_record(record_in(message)) if recorded is None else Happened((recorded,))

    return decode


def _handled(projections: Iterable[Projection[Any]]) -> frozenset[str]:
    return frozenset(
        name for projection in projections for event in projection.handlers for name in event.stored_names()
    )


def _record_decoder(wanted: Collection[str], codec: EventCodec) -> Callable[[Record], Happened | Undecoded]:
    def decode(record: Record) -> Happened | Undecoded:
        if record.type not in wanted:
            return Undecoded(record)
        try:
            return Happened(codec.events_in(record))
        except UNREADABLE as error:
            return Undecoded(record, error)

    return decode


class View:
    """What one projection makes of shared frames: ignored events and the system's own only move its checkpoint.

    So do those that are `absent`, whatever they are. An older record may mean several events, and others than its name
    says: only decoding shows it.
    """

    def __init__(self, projection: Projection[Any]) -> None:
        handled = {name for event in projection.handlers for name in event.stored_names()}
        self._passed: Final = {name for event in projection.ignored for name in event.stored_names()} - handled
        self._concerned: Final = projection.handlers.keys() | projection.ignored
        self.absent: Absent = {}

    def of(self, frames: Iterable[SharedFrame], after: int | None = None) -> list[Frame]:
        """Its frames, without the records up to the position `after`.

        The fault of a record that it can't read is UnknownEventType where the projection does not know the event,
        UnknownEventVersion or UnreadableEvent where it handles it.
        """
        own: list[Frame] = []
        behind = -1 if after is None else after
        concerned = self._concerned
        for frame in frames:
            if isinstance(frame, Happened) and frame.position > behind and frame.kind in concerned:
                own.append(frame)  # nearly all
            elif isinstance(frame, CheckpointReached | CaughtUp):
                own.append(frame)
            elif frame.position > behind:
                own.append(self._happened(frame) if isinstance(frame, Happened) else self._undecoded(frame))
        return list(map(self._unless_absent, own)) if self.absent else own

    def _happened(self, frame: Happened) -> Frame:
        for recorded in frame.events:
            if type(recorded.event) not in self._concerned:
                name, place = recorded.event.stored_name, (recorded.stream, recorded.version, recorded.position)
                return Unreadable(*place, frame.event_id, name, UnknownEventType(*place, name))
        return frame

    def _undecoded(self, frame: Undecoded) -> Frame:
        record, place = frame.record, (frame.record.stream, frame.record.version, frame.position)
        if record.type in self._passed or record.type.startswith("$"):
            return Passed(frame.position, record.id)
        return Unreadable(*place, record.id, record.type, frame.fault or UnknownEventType(*place, record.type))

    def _unless_absent(self, frame: Frame) -> Frame:
        if not isinstance(frame, Happened | Unreadable) or frame.version not in self.absent.get(frame.stream, ()):
            return frame
        return Passed(frame.position, frame.event_id)


def reader_of(projection: Projection[Any], codec: EventCodec) -> ReadRecord:
    """Decodes a record for one projection alone."""
    decode, view = _record_decoder(_handled([projection]), codec), View(projection)
    return lambda record: view.of((decode(record),))[0]
