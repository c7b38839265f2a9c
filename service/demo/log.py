"""The log, read directly: one stream's history, and read models folded anew without any of the service's workers."""

from collections.abc import Iterator, Mapping
from typing import Any

from esdbclient import EventStoreDBClient
from esdbclient.exceptions import NotFound

from domain.message import Recorded
from infrastructure.eventstore.client import reader_client
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.streams import partition_pattern
from projections.projection import Add, Projection, Row
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
            return [self._codec.decode(event) for event in self._client.get_stream(name)]
        except NotFound:
            return []

    def category(self, category: str) -> Iterator[Recorded[Any]]:
        """All events of a category's streams, in the order of the log."""
        pattern = partition_pattern(category, 0, 1)
        for event in self._client.read_all(filter_include=(pattern,), filter_by_stream_name=True):
            yield self._codec.decode(event)

    def fold(self, projection: Projection[Any]) -> tuple[dict[str, Row], int]:
        """The rows that the projection's handlers make of the whole log, and how many index entries they add."""
        rows: dict[str, Row] = {}
        entries = 0
        handlers: Mapping[type, Any] = projection.handlers
        for recorded in self.category(projection.category):
            handler = handlers.get(type(recorded.event))
            if handler is None:
                continue
            before = rows.get(recorded.aggregate_id)
            after = handler(before, recorded)
            entries += sum(isinstance(change, Add) for change in projection.index(before, after))
            if after is not None:
                rows[recorded.aggregate_id] = after
        return rows, entries
