"""Reads a store to find what today's code can't read, before a release does."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.message import Event
from domain.stream_name import StreamName
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UnknownEventType, UnknownEventVersion, UnreadableEvent
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern


@dataclass(frozen=True, slots=True)
class Window:
    """What the server's clock said when a record was written: from `since` on, and before `until`."""

    since: datetime | None = None
    until: datetime | None = None

    def includes(self, at: datetime | None) -> bool:
        if at is None:
            return True
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Finding:
    """One record that can't be read: number `version` of its stream; `schema_version` None where it says none."""

    stream: str
    version: int
    position: int
    type: str
    schema_version: int | None
    error: str
    reason: str


class Check:
    """Looks through the streams of these categories; `records` counts what was looked at.

    A record is fine when it says everything about itself that today's code asks for, and each event that it means is
    one of its category's. The clock may step back, so a window is no part of the log, and all of it is read.
    """

    def __init__(self, codec: EventCodec, boundaries: Mapping[str, Iterable[type[Event]]]) -> None:
        self.records = 0
        self._codec: Final = codec
        self._events: Final = {category: frozenset(events) for category, events in boundaries.items()}

    def findings(
        self, reader: LogReader, window: Window, counted: Callable[[Iterator[Record]], Iterator[Record]] = iter
    ) -> Iterator[Finding]:
        """What can't be read, in the order of the log, of records that `counted` passes on. Raises StoreUnavailable."""
        for record in counted(reader.records(category_pattern(self._events))):
            if not window.includes(record.at):
                continue
            if (finding := self.look_at(record)) is not None:
                yield finding

    def look_at(self, record: Record) -> Finding | None:
        """Why one record can't be read, None where it can."""
        self.records += 1
        try:
            self._read(record)
        except (UnknownEventType, UnknownEventVersion, UnreadableEvent) as error:
            return Finding(
                stream=record.stream,
                version=record.version,
                position=record.position or 0,
                type=record.type,
                schema_version=_schema_version(record),
                error=type(error).__name__,
                reason=_reason(error),
            )
        return None

    def _read(self, record: Record) -> None:
        category = StreamName.parse(record.stream).category
        for event in self._codec.events_in(record):
            _ = event.metadata  # it is only read when it is asked for
            if type(event.event) not in self._events[category]:
                name = event.event.stored_name
                raise UnreadableEvent(event.stream, event.version, event.position, f"{name}: is no event of {category}")


def _reason(error: UnknownEventType | UnknownEventVersion | UnreadableEvent) -> str:
    match error:
        case UnknownEventType():
            return "the name is unknown"
        case UnknownEventVersion():
            return f"version {error.schema_version} is unknown"
        case UnreadableEvent():
            return error.reason


def _schema_version(record: Record) -> int | None:
    try:
        metadata = json.loads(record.metadata)
    except ValueError:
        return None
    version = metadata.get("schema_version") if isinstance(metadata, dict) else None
    return version if isinstance(version, int) else None
