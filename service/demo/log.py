"""The log, read directly: one stream's history, and read models folded anew without any of the service's workers."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.message import Recorded
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import TOMBSTONE_VERSION
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.history.errors import UnknownStream
from infrastructure.history.records import Records
from projections.projection import Projection, Row
from service.consumers import EVENTS


class DemoLog:
    """Reads the event store at `uri`; closes its connection when its block ends."""

    def __init__(self, uri: str) -> None:
        self._reader = open_reader(uri)
        self._codec = EventCodec(EVENTS)

    def __enter__(self) -> "DemoLog":
        return self

    def __exit__(self, *reason: object) -> None:
        self._reader.close()

    def stream(self, name: str) -> list[Recorded[Any]]:
        """One stream from its beginning; empty where there is none."""
        records = Records(self._reader, name).through(0, TOMBSTONE_VERSION - 1)
        try:
            return [event for record in records for event in self._codec.events_in(record)]
        except UnknownStream:
            return []

    def category(self, category: str) -> Iterator[Recorded[Any]]:
        """All events of a category's streams, in the order of the log."""
        for record in self._reader.records(category_pattern([category])):
            yield from self._codec.events_in(record)

    def fold(self, projection: Projection[Any]) -> dict[str, Row | None]:
        """The row that the projection's handlers make of each stream in the whole log; of some there is none."""
        rows: dict[str, Row | None] = {}
        handlers: Mapping[type, Any] = projection.handlers
        for recorded in self.category(projection.category):
            handler = handlers.get(type(recorded.event))
            before = rows.setdefault(recorded.aggregate_id, None)
            if handler is not None:
                rows[recorded.aggregate_id] = handler(before, recorded)
        return rows
