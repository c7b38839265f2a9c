"""Keeps the newest committed records in memory: every live subscription reads them, most of them at once."""

from bisect import bisect_left
from collections.abc import Sequence

from infrastructure.embedded.eventstoredb.storage.rows import Row

_MOST_RECORDS, _MOST_BYTES = 8192, 8 * 1024 * 1024


class TailCache:
    """All visible records from some position on; the oldest half goes when there are too many."""

    def __init__(self, last_position: int) -> None:
        self._complete_from = last_position + 1
        self._positions: list[int] = []
        self._rows: list[Row] = []
        self._bytes = 0

    def extend(self, rows: Sequence[Row]) -> None:
        """Adds what was committed, in the order of the log."""
        self._rows += rows
        self._positions += [row[0] for row in rows]
        self._bytes += sum(len(row[3]) for row in rows)
        while len(self._rows) > _MOST_RECORDS or self._bytes > _MOST_BYTES:
            self._forget(len(self._rows) // 2 + 1)

    def forwards(self, at_or_after: int, limit: int) -> list[Row] | None:
        """Records from a position on; None where that is further back than this goes."""
        if at_or_after < self._complete_from:
            return None
        first = bisect_left(self._positions, at_or_after)
        return self._rows[first : first + limit]

    def concerns(self, stream: str, after: int) -> bool:
        """Whether a stream may have been written to since a position."""
        rows = self.forwards(after + 1, _MOST_RECORDS)
        return rows is None or any(row[1] == stream for row in rows)

    def _forget(self, count: int) -> None:
        self._complete_from = self._positions[count - 1] + 1
        self._bytes -= sum(len(row[3]) for row in self._rows[:count])
        del self._rows[:count], self._positions[:count]
