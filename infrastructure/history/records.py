"""Reads the records of one stream as they are stored: one of them, a page, a range."""

from collections.abc import Iterator, Sequence
from typing import Final

from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record
from infrastructure.history.errors import UnknownStream

PAGE: Final = 1000
SHORT_PAGE: Final = 200  # for who goes through a stream of any length, and keeps none of it


class Records:
    """The records of one stream, through one reader; `calls` counts the round trips.

    All of it raises UnknownStream, StreamGone and StoreUnavailable.
    """

    def __init__(self, reader: LogReader, stream: str) -> None:
        self.stream: Final = stream
        self.calls = 0
        self._reader: Final = reader

    def last(self) -> Record:
        """The newest record."""
        return self._one(self._read(None, 1, backwards=True))

    def first(self) -> Record:
        """The oldest visible record."""
        return self._one(self._read(0, 1))

    def next_from(self, version: int) -> Record | None:
        """The first visible record from `version` on; None beyond the end."""
        return next(iter(self._read(version, 1)), None)

    def page(self, first: int, limit: int) -> Sequence[Record]:
        """At most `limit` visible records, from version `first` on."""
        return self._read(first, limit)

    def through(self, first: int, last: int, page_size: int = PAGE) -> Iterator[Record]:
        """The visible records from version `first` to version `last`, both included, read page by page."""
        while first <= last:
            page = self._read(first, min(page_size, last - first + 1))
            for record in page:
                if record.version > last:
                    return
                yield record
            if not page:
                return
            first = page[-1].version + 1

    def page_of(self, stream: str, first: int | None, limit: int, *, backwards: bool = False) -> Sequence[Record]:
        """At most `limit` records of another stream, from `first` or its end on; none where it does not exist."""
        try:
            return self._read(first, limit, backwards=backwards, stream=stream)
        except (UnknownStream, StreamGone):
            return ()

    def _read(
        self, position: int | None, limit: int, *, backwards: bool = False, stream: str | None = None
    ) -> Sequence[Record]:
        self.calls += 1
        name = stream or self.stream
        page = self._reader.page(name, position, limit, backwards=backwards)
        if page is None:
            raise UnknownStream(name)
        return page

    def _one(self, records: Sequence[Record]) -> Record:
        if not records:
            raise UnknownStream(self.stream)
        return records[0]
