"""Versions of streams by their names, in a temporary file where there are more of them than fit into memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

NOTHING: Final = -1
"""The version of a stream before its first event, and of one that is not known."""
_AT_ONCE: Final = 500


class StreamVersions:
    """Each stream once."""

    def __init__(self) -> None:
        self._file: Final = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE streams (name TEXT PRIMARY KEY, version INTEGER) WITHOUT ROWID")
        self.is_empty = True

    def add(self, streams: Iterable[tuple[str, int]]) -> None:
        """Keeps these, in place of what was kept of them."""
        for each in streams:
            self.is_empty = False
            self._file.execute("INSERT OR REPLACE INTO streams VALUES (?, ?)", each)

    def of(self, stream: str) -> int:
        """The version of that stream."""
        if self.is_empty:
            return NOTHING
        found = self._file.execute("SELECT version FROM streams WHERE name = ?", (stream,)).fetchone()
        return NOTHING if found is None else int(found[0])

    def chunks(self) -> Iterator[list[tuple[str, int]]]:
        """All of them, some at a time, by name."""
        last = ""
        while some := self._after(last):
            last = some[-1][0]
            yield some

    def close(self) -> None:
        """Removes the file."""
        self._file.close()

    def _after(self, last: str) -> list[tuple[str, int]]:
        found = self._file.execute("SELECT * FROM streams WHERE name > ? ORDER BY name LIMIT ?", (last, _AT_ONCE))
        return found.fetchall()
