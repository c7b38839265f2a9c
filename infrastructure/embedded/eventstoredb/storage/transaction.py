"""What one write sees and changes: the log as it will be once the open transaction is committed."""

import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from infrastructure.embedded.eventstoredb.storage.frames import decode_frame, encode_frame
from infrastructure.embedded.eventstoredb.storage.inspection import SCHEMA_VERSION
from infrastructure.embedded.eventstoredb.storage.metadata import Metadata
from infrastructure.embedded.eventstoredb.storage.record import LogRecord, PendingRecord
from infrastructure.embedded.eventstoredb.storage.rows import SELECT_STREAM, Row, StreamRow, stream_row

FIRST_POSITION = 1
# Of names that may be long: memory is for those that are as short as everybody's.
_CACHED_STREAMS, _CACHED_CHARACTERS = 50_000, 1024
# Readers of $all never see these: they are the log's own bookkeeping.
_HIDDEN = re.compile(r"\$epoch-information\Z|\$persistentsubscription-\$all::.*-(checkpoint|parked)\Z", re.S)

_INSERT = (
    "INSERT INTO records (position, stream, number, id, type, created, hidden, frame) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_STREAM = "INSERT INTO streams (name, last, max_count, max_age, truncate_before) VALUES (?, ?, ?, ?, ?)"
_UPDATE_STREAM = "UPDATE streams SET last = ?, max_count = ?, max_age = ?, truncate_before = ? WHERE id = ?"


def is_hidden(stream: str) -> bool:
    """Whether a stream's records are left out of $all."""
    return _HIDDEN.match(stream) is not None


class Transaction:
    """Reads and writes on the one connection that writes; sees what it has written, committed or not."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._streams: dict[str, StreamRow] = {}
        self._written: list[Row] = []
        self.last_position = self._next = 0
        self.reload()

    def reload(self) -> None:
        """Forgets what it knows, after a transaction was rolled back."""
        self._streams.clear()
        self._written.clear()
        newest = self._connection.execute(
            "SELECT position, length(frame) FROM records ORDER BY position DESC LIMIT 1"
        ).fetchone()
        self.last_position, size = newest or (0, FIRST_POSITION)
        self._next = self.last_position + size

    def stream(self, name: str) -> StreamRow:
        """What is known of a stream now."""
        row = self._streams.get(name)
        if row is None:
            row = stream_row(name, self._connection.execute(SELECT_STREAM, (name,)).fetchone())
            self._remember(row)
        return row

    def number_of(self, stream: StreamRow, event_id: UUID) -> int | None:
        """The number of the event with an id, if the first event ever with it is in this stream."""
        found = self._connection.execute(
            "SELECT stream, number FROM records WHERE id = ? ORDER BY position LIMIT 1", (event_id.bytes,)
        ).fetchone()
        return found[1] if found is not None and found[0] == stream.id else None

    def id_at(self, stream: StreamRow, number: int) -> UUID | None:
        """The id of the event with a number."""
        found = self._connection.execute(
            "SELECT id FROM records WHERE stream = ? AND number = ?", (stream.id, number)
        ).fetchone()
        return None if found is None else UUID(bytes=found[0])

    def record_at(self, stream: StreamRow, number: int) -> LogRecord | None:
        """The event with a number, hidden or not."""
        found = self._connection.execute(
            "SELECT frame FROM records WHERE stream = ? AND number = ?", (stream.id, number)
        ).fetchone()
        return None if found is None else decode_frame(found[0])

    def touch(self) -> None:
        """Writes what is there already, so that the commit needs the disk."""
        self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def take_position(self) -> int:
        """A position that no record will have."""
        taken = self._next
        self._next += 1
        return taken

    def write(self, name: str, first: int, events: Sequence[PendingRecord]) -> int:
        """Appends events numbered from `first`; the position of the last one."""
        stream = self._save(replace(self.stream(name), last=first + len(events) - 1))
        hidden, created = is_hidden(name), time.time_ns() // 100
        rows = []
        for number, event in enumerate(events, first):
            frame = encode_frame(_record(self._next, name, number, created, event))
            row = (self._next, stream.id, number, event.id.bytes, event.type, created, hidden, frame)
            rows.append(row)
            if not hidden:
                self._written.append((self._next, name, event.type, frame))
            self.last_position, self._next = self._next, self._next + len(frame)
        self._connection.executemany(_INSERT, rows)
        return self.last_position

    def take_written(self) -> list[Row]:
        """The visible records since the last call; once they are committed, readers may see them."""
        written, self._written = self._written, []
        return written

    def execute(self, statement: str, arguments: Sequence[object] = ()) -> list[Any]:
        """Runs a statement on a table that is kept beside the log and changes together with it."""
        return self._connection.execute(statement, arguments).fetchall()

    def limit(self, name: str, metadata: Metadata) -> None:
        """From now on readers of a stream see what this metadata leaves of it."""
        self._save(replace(self.stream(name), metadata=metadata))

    def _save(self, row: StreamRow) -> StreamRow:
        limits = (row.metadata.max_count, row.metadata.max_age, row.metadata.truncate_before)
        if row.id is None:
            inserted = self._connection.execute(_INSERT_STREAM, (row.name, row.last, *limits))
            row = replace(row, id=inserted.lastrowid)
        else:
            self._connection.execute(_UPDATE_STREAM, (row.last, *limits, row.id))
        self._remember(row)
        return row

    def _remember(self, row: StreamRow) -> None:
        if len(row.name) > _CACHED_CHARACTERS:
            return
        if len(self._streams) >= _CACHED_STREAMS:
            self._streams.clear()
        self._streams[row.name] = row


def _record(position: int, stream: str, number: int, created: int, event: PendingRecord) -> LogRecord:
    return LogRecord(position, stream, number, event.id, event.type, event.is_json, created, event.data, event.metadata)
