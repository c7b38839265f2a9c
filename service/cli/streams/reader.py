"""Reads a stream, or the whole log, from either end, as it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import EVERY_STREAM
from infrastructure.history.errors import UnknownStream
from infrastructure.history.records import SHORT_PAGE
from service.errors import NoPosition

ALL: Final = "$all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """At most `limit` events of a stream from number `first` on, None: from the end that one begins at.

    Of `$all`, `first` is a position; backwards what lies before it is read, as the store has it.
    """

    stream: str
    first: int | None
    limit: int
    backwards: bool = False


def records_of(reader: LogReader, wanted: Wanted) -> Iterator[Record]:
    """One by one. Raises UnknownStream, NoPosition, StreamGone, StoreUnavailable."""
    return _of_log(reader, wanted) if wanted.stream == ALL else _of_stream(reader, wanted)


def _of_log(reader: LogReader, wanted: Wanted) -> Iterator[Record]:
    if wanted.first is not None and not reader.holds(wanted.first):
        raise NoPosition(wanted.first)
    yield from reader.records(EVERY_STREAM, first=wanted.first, backwards=wanted.backwards, limit=wanted.limit)


def _of_stream(reader: LogReader, wanted: Wanted) -> Iterator[Record]:
    first, left = wanted.first, wanted.limit
    while left > 0:
        asked = min(left, SHORT_PAGE)
        page = reader.page(wanted.stream, first, asked, backwards=wanted.backwards)
        if page is None:
            raise UnknownStream(wanted.stream)
        yield from page
        left -= len(page)
        if len(page) < asked or (wanted.backwards and page[-1].version == 0):
            return
        first = page[-1].version + (-1 if wanted.backwards else 1)
