"""The log, read directly: one stream's history, and read models folded anew without any of the service's workers."""

from collections.abc import Iterator, Mapping
from typing import Any

from esdbclient import EventStoreDBClient
from esdbclient.exceptions import NotFound

from domain.message import Recorded
from infrastructure.eventstore.client import reader_client
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.streams import partition_pattern
from projections.projection import Projection, Row
from service.consumers import EVENTS


class Log:
    """Reads the event store at `uri`; closes its connection when its block ends."""

    def __init__(self, uri: str) -> None:
        self._client: EventStoreDBClient = reader_client(uri)
        self._codec = EventCodec(EVENTS)

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *reason: object) -> None:
        self._client.close()

    def stream(self, name: str) -> list[Recorded[Any]]:
        """One stream from its beginning; empty where there is none."""
        try:
            records = self._client.get_stream(name)
        except NotFound:
            return []
        return [event for record in records for event in self._codec.events_in(record)]

    def category(self, category: str) -> Iterator[Recorded[Any]]:
        """All events of a category's streams, in the order of the log."""
        pattern = partition_pattern(category, 0, 1)
        for event in self._client.read_all(filter_include=(pattern,), filter_by_stream_name=True):
            yield from self._codec.events_in(event)

    def fold(self, projection: Projection[Any]) -> dict[str, Row]:
        """The rows that the projection's handlers make of the whole log."""
        rows: dict[str, Row] = {}
        handlers: Mapping[type, Any] = projection.handlers
        for recorded in self.category(projection.category):
            handler = handlers.get(type(recorded.event))
            if handler is None:
                continue
            after = handler(rows.get(recorded.aggregate_id), recorded)
            if after is not None:
                rows[recorded.aggregate_id] = after
        return rows
