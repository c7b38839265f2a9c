"""Reads the records of one stream as they are stored: a page, one of them, the last."""

from collections.abc import Iterator, Sequence
from typing import Final

from esdbclient import EventStoreDBClient, RecordedEvent
from esdbclient.exceptions import NotFound, StreamIsDeleted

from infrastructure.eventstore.client import address_of, translated
from infrastructure.eventstore.errors import StreamGone
from infrastructure.history.errors import UnknownStream

PAGE: Final = 1000
_SECONDS: Final = 10.0


class Records:
    """One stream through one client; `calls` counts the round trips.

    All of it raises UnknownStream, StreamGone and StoreUnavailable.
    """

    def __init__(self, client: EventStoreDBClient, stream: str) -> None:
        self.stream: Final = stream
        self.calls = 0
        self._client: Final = client

    def last(self) -> RecordedEvent:
        """The newest record."""
        return self._one(self._read(None, 1, backwards=True))

    def first(self) -> RecordedEvent:
        """The oldest that is still visible."""
        return self._one(self._read(0, 1))

    def next_from(self, version: int) -> RecordedEvent | None:
        """The first visible record that is not before `version`; None beyond the end."""
        return next(iter(self._read(version, 1)), None)

    def page(self, first: int, limit: int) -> Sequence[RecordedEvent]:
        """At most `limit` records, from the first visible one on that is not before version `first`."""
        return self._read(first, limit)

    def through(self, first: int, last: int, page_size: int = PAGE) -> Iterator[RecordedEvent]:
        """The visible records from version `first` to version `last`, both included, read page by page."""
        while first <= last:
            page = self._read(first, min(page_size, last - first + 1))
            for recorded in page:
                if recorded.stream_position > last:
                    return
                yield recorded
            if not page:
                return
            first = page[-1].stream_position + 1

    def beside(self, stream: str, first: int | None, limit: int, *, backwards: bool = False) -> Sequence[RecordedEvent]:
        """At most `limit` records of another stream, from `first` or its end on; none where there is no such stream."""
        try:
            return self._read(first, limit, backwards=backwards, stream=stream)
        except (UnknownStream, StreamGone):
            return ()

    def _read(
        self, position: int | None, limit: int, *, backwards: bool = False, stream: str | None = None
    ) -> Sequence[RecordedEvent]:
        self.calls += 1
        name = stream or self.stream
        try:
            with translated(address_of(self._client)):
                return self._client.get_stream(
                    name, stream_position=position, backwards=backwards, limit=limit, timeout=_SECONDS
                )
        except NotFound as error:
            raise UnknownStream(name) from error
        except StreamIsDeleted as error:
            raise StreamGone(name) from error

    def _one(self, records: Sequence[RecordedEvent]) -> RecordedEvent:
        if not records:
            raise UnknownStream(self.stream)
        return records[0]
