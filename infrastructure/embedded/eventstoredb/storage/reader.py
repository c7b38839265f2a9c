"""Reads committed records, a bounded page at a time."""

import sqlite3
import time
from collections.abc import Iterable

from infrastructure.embedded.eventstoredb.storage.metadata import MAX, OF_METASTREAMS, original_of
from infrastructure.embedded.eventstoredb.storage.rows import SELECT_STREAM, Row, StreamRow, stream_row
from infrastructure.embedded.eventstoredb.storage.tail_cache import TailCache

# A page is one pause of the event loop and one buffer per reader.
PAGE_RECORDS = 512
PAGE_BYTES = 256 * 1024
_TICKS_PER_SECOND = 10_000_000

_OF_ALL = (
    "SELECT r.position, s.name, r.type, r.frame FROM records r CROSS JOIN streams s ON s.id = r.stream"
    " WHERE r.position {} ? AND NOT r.hidden ORDER BY r.position {} LIMIT ?"
)
_ALL_FORWARDS, _ALL_BACKWARDS = _OF_ALL.format(">=", "ASC"), _OF_ALL.format("<", "DESC")
_OF_STREAM = (
    "SELECT number, ?, type, frame FROM records"
    " WHERE stream = ? AND number BETWEEN ? AND ? AND created >= ? ORDER BY number {} LIMIT ?"
)
_STREAM_FORWARDS, _STREAM_BACKWARDS = _OF_STREAM.format("ASC"), _OF_STREAM.format("DESC")
_CREATED = "SELECT created FROM records WHERE stream = ? AND number = ?"


class LogReader:
    """Short synchronous reads; each returns at most a page, whatever the limit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.tail = TailCache(self.last_position())

    def stream(self, name: str) -> StreamRow:
        """What is known of a stream, with the metadata that holds for readers."""
        row = stream_row(name, self._connection.execute(SELECT_STREAM, (name,)).fetchone())
        original = original_of(name)
        if original is None:
            return row
        last = MAX if self.stream(original).last == MAX else row.last
        return StreamRow(name, row.id, last, OF_METASTREAMS)

    def last_position(self) -> int:
        """Where the last record begins, hidden or not; 0 while there is none."""
        last: int = self._connection.execute("SELECT ifnull(max(position), 0) FROM records").fetchone()[0]
        return last

    def is_position(self, position: int) -> bool:
        """Whether a record begins there."""
        found = self._connection.execute("SELECT 1 FROM records WHERE position = ?", (position,)).fetchone()
        return found is not None

    def all_forwards(self, at_or_after: int, limit: int) -> list[Row]:
        """The log in order, without hidden streams."""
        newest = self.tail.forwards(at_or_after, min(limit, PAGE_RECORDS))
        if newest is not None:
            return _bounded(newest)
        return self._page(_ALL_FORWARDS, (at_or_after, min(limit, PAGE_RECORDS)))

    def all_backwards(self, before: int, limit: int) -> list[Row]:
        """The log in reverse order, without hidden streams."""
        return self._page(_ALL_BACKWARDS, (before, min(limit, PAGE_RECORDS)))

    def stream_forwards(self, row: StreamRow, first: int, limit: int) -> list[Row]:
        """What readers may see of a stream from number `first` on."""
        first = max(first, row.metadata.first_visible(row.last))
        return self._of_stream(_STREAM_FORWARDS, row, (first, row.last), limit)

    def stream_backwards(self, row: StreamRow, first: int, limit: int) -> list[Row]:
        """What readers may see of a stream from number `first` down."""
        lowest = row.metadata.first_visible(row.last)
        return self._of_stream(_STREAM_BACKWARDS, row, (lowest, min(first, row.last)), limit)

    def stream_whole(self, row: StreamRow, first: int, limit: int) -> list[Row]:
        """Everything in a stream from number `first` on: also what is hidden, and the tombstone."""
        arguments = (row.name, row.id, first, MAX, 0, min(limit, PAGE_RECORDS))
        return self._page(_STREAM_FORWARDS, arguments)

    def at(self, row: StreamRow, number: int) -> Row | None:
        """One event, if readers may see it."""
        if number < row.metadata.first_visible(row.last):
            return None
        found = self._of_stream(_STREAM_FORWARDS, row, (number, number), 1)
        return found[0] if found else None

    def _of_stream(self, query: str, row: StreamRow, numbers: tuple[int, int], limit: int) -> list[Row]:
        lowest, highest = numbers
        not_before = 0
        if row.metadata.max_age is not None:
            not_before = time.time_ns() // 100 - row.metadata.max_age * _TICKS_PER_SECOND
            lowest = self._first_since(not_before, row, lowest, highest)
        return self._page(query, (row.name, row.id, lowest, highest, not_before, min(limit, PAGE_RECORDS)))

    def _first_since(self, ticks: int, row: StreamRow, lowest: int, highest: int) -> int:
        """The lowest number that was written at `ticks` or later, by bisection: those before it may be very many.

        That takes times to rise with the numbers. Where a clock was set back, events before the one found are left out.
        """
        middle = lowest
        while lowest <= highest:
            found = self._connection.execute(_CREATED, (row.id, middle)).fetchone()
            if found is not None and found[0] >= ticks:
                highest = middle - 1
            else:
                lowest = middle + 1
            middle = (lowest + highest) // 2
        return lowest

    def _page(self, query: str, arguments: Iterable[object]) -> list[Row]:
        cursor = self._connection.execute(query, tuple(arguments))
        rows = _bounded(cursor)
        cursor.close()
        return rows


def _bounded(found: Iterable[Row]) -> list[Row]:
    """As many rows as a page's bytes allow, and at least one."""
    rows: list[Row] = []
    size = 0
    for row in found:
        rows.append(row)
        size += len(row[3])
        if size >= PAGE_BYTES:
            break
    return rows
