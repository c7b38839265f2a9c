"""Decides which records of the log a projection decodes, and which it skips."""

from collections.abc import Set
from typing import Any, Final

import structlog

from domain.message import Event, Recorded
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UNREADABLE, UnknownEventType, place_of
from infrastructure.eventstore.record import Record
from infrastructure.subscriptions.catch_up import ReadRecord
from infrastructure.subscriptions.frames import Frame, Happened, Passed
from projections.projection import Projection

_logger: Final = structlog.get_logger()


def reader_of(projection: Projection[Any], codec: EventCodec, *, skip_unreadable: bool = False) -> ReadRecord:
    """Decodes what the projection handles; ignored events and the system's own only move the checkpoint.

    An older record may mean several events, and others than its name says: only decoding shows it. The reader
    raises UnknownEventType for anything else, UnknownEventVersion and UnreadableEvent; with `skip_unreadable` it logs
    and skips such records.
    """
    handled = {name for event in projection.handlers for name in event.stored_names()}
    passed = {name for event in projection.ignored for name in event.stored_names()} - handled
    concerned = projection.handlers.keys() | projection.ignored

    def read(record: Record) -> Frame:
        if record.type in handled:
            return Happened(_require_known(concerned, codec.events_in(record)))
        position = record.position or 0
        if record.type in passed or record.type.startswith("$"):
            return Passed(position, record.id)
        raise UnknownEventType(record.stream, record.version, position, record.type)

    def read_or_skip(record: Record) -> Frame:
        try:
            return read(record)
        except UNREADABLE as error:
            _logger.warning(
                "event_skipped",
                projection=projection.name,
                error=type(error).__name__,
                reason=str(error),
                **place_of(error),
            )
            return Passed(error.position, record.id)

    return read_or_skip if skip_unreadable else read


def _require_known(concerned: Set[type[Event]], events: list[Recorded[Any]]) -> list[Recorded[Any]]:
    """The same events. Raises UnknownEventType for one that the projection does not know."""
    for recorded in events:
        if type(recorded.event) not in concerned:
            raise UnknownEventType(recorded.stream, recorded.version, recorded.position, recorded.event.stored_name)
    return events
