"""The event log: everything the server does to streams goes through here."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from infrastructure.embedded.eventstoredb.errors import StreamDeleted
from infrastructure.embedded.eventstoredb.storage.file_watch import FileWatch
from infrastructure.embedded.eventstoredb.storage.folder import FILE, open_log, watch
from infrastructure.embedded.eventstoredb.storage.frames import decode_frame
from infrastructure.embedded.eventstoredb.storage.high_water_mark import HighWaterMark, leave_mark
from infrastructure.embedded.eventstoredb.storage.metadata import MAX
from infrastructure.embedded.eventstoredb.storage.reader import PAGE_RECORDS, LogReader
from infrastructure.embedded.eventstoredb.storage.record import LogRecord, PendingRecord
from infrastructure.embedded.eventstoredb.storage.rows import Row, StreamRow
from infrastructure.embedded.eventstoredb.storage.transaction import is_hidden
from infrastructure.embedded.eventstoredb.storage.verification import Verification
from infrastructure.embedded.eventstoredb.storage.writer import LogWriter, Work
from infrastructure.embedded.eventstoredb.streams import links, writes
from infrastructure.embedded.eventstoredb.streams.decision import ANY, EXISTS, NO_STREAM
from infrastructure.embedded.eventstoredb.streams.writes import Appended

__all__ = ["ANY", "EXISTS", "MAX", "NO_STREAM", "Appended", "EventLog"]

T = TypeVar("T")
SEED_STREAM = "$$$stats-foldstream"


class EventLog:
    """Needs a running event loop. Reads are short and synchronous: they return at most a page."""

    def __init__(self, folder: Path | None) -> None:
        """Opens the log of a folder (which the caller has locked), or a new one in memory.

        Raises StartRefused.
        """
        self._write_connection, self._read_connection = open_log(folder)
        self.reader = LogReader(self._read_connection)
        self._grown = asyncio.Event()
        self._last_position = self.reader.last_position()
        self._high_water_mark = None if folder is None else HighWaterMark(folder)
        self._verification = None if folder is None else Verification(folder / FILE)
        self._folder, self._files = folder, None if folder is None else watch(folder)
        self._writer = LogWriter(self._write_connection, self._committed, self._files)

    async def start(self) -> None:
        """Makes sure that the log begins with a system event, as EventStoreDB's does."""
        if not self._last_position:
            data = json.dumps({"$maxAge": 864000}).encode()
            await self.append(SEED_STREAM, ANY, [PendingRecord(uuid4(), writes.METADATA, True, data, b"")])

    async def close(self) -> None:
        """Finishes the writes that were accepted, and closes the file."""
        await self._writer.close()
        if self._files is not None:
            self._files.stop()
        if self._verification is not None:
            await self._verification.stop()
        if self._high_water_mark is not None:
            self._high_water_mark.close()
        self._read_connection.close()
        self._write_connection.close()

    async def broken(self) -> None:
        """Returns only when the log can't be written any more, or has turned out to be damaged or gone."""
        waiting = [asyncio.ensure_future(self._writer.broken())]
        if self._verification is not None:
            waiting.append(asyncio.ensure_future(self._verification.failed()))
        if self._folder is not None and self._files is not None:
            waiting.append(asyncio.ensure_future(self._taken_away(self._folder, self._files)))
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    async def _taken_away(self, folder: Path, files: FileWatch) -> None:
        await files.failed()
        leave_mark(folder, self._last_position)

    async def append(self, stream: str, expected: int, events: Sequence[PendingRecord]) -> Appended:
        """Writes all events or none; returns once they are on disk.

        Raises WrongExpectedVersion, StreamDeleted, StorageFailed or, seconds later, RepeatInFlight.
        """
        return await self.begin_append(stream, expected, events)

    def begin_append(self, stream: str, expected: int, events: Sequence[PendingRecord]) -> asyncio.Future[Appended]:
        """The same for those who wait for many appends at once. Raises StorageFailed."""
        committed = self._last_position
        return self._writer.begin(lambda tx: writes.append(tx, stream, expected, events, committed=committed))

    async def write(self, work: Work[T]) -> T:
        """Runs several changes as one: all of them or none; returns once they are on disk.

        Raises what `work` refuses with (a LogError), which it does before it changes anything, or StorageFailed.
        """
        return await self._writer.write(work)

    async def delete(self, stream: str, expected: int) -> int:
        """Soft delete; the position of its mark. Raises as `append` does."""
        return await self._writer.write(lambda tx: writes.delete(tx, stream, expected))

    async def tombstone(self, stream: str, expected: int) -> int:
        """Hard delete; the position of the tombstone. Raises as `append` does."""
        return await self._writer.write(lambda tx: writes.tombstone(tx, stream, expected))

    @property
    def fault(self) -> str | None:
        """Why no write succeeds at present, None where writes succeed."""
        return self._writer.fault

    @property
    def last_position(self) -> int:
        """Position of the last committed record; 0 while there is none."""
        return self._last_position

    async def wait_beyond(self, position: int) -> None:
        """Returns once a record beyond `position` is committed."""
        while self._last_position <= position:
            await self._grown.wait()

    async def wait_for_stream(self, stream: str, position: int) -> None:
        """Returns once a stream may have got records beyond `position`; as a rule it has."""
        await self.wait_beyond(position)
        while not is_hidden(stream) and not self.reader.tail.concerns(stream, position):
            position = self._last_position
            await self.wait_beyond(position)

    def stream(self, name: str) -> StreamRow:
        """What readers are to know of a stream."""
        return self.reader.stream(name)

    def last_number(self, stream: str) -> int:
        """Number of the newest event ever written: -1 for none, MAX after a tombstone."""
        return self.reader.stream(stream).last

    def stream_exists(self, stream: str) -> bool:
        """Whether a reader finds it: it has had events, and is neither deleted nor closed."""
        row = self.reader.stream(stream)
        return 0 <= row.last < MAX and not row.metadata.soft_deleted

    def read_stream_forwards(
        self, stream: str, first: int, limit: int, *, with_hidden: bool = False
    ) -> list[LogRecord]:
        """Events from number `first` on, the visible ones or all, at most a page. Raises StreamDeleted."""
        read = self.reader.stream_whole if with_hidden else self.reader.stream_forwards
        return _records(read(self._open_stream(stream), first, limit))

    def read_stream_backwards(self, stream: str, first: int, limit: int) -> list[LogRecord]:
        """Visible events from number `first` down, at most a page. Raises StreamDeleted for a tombstone."""
        return _records(self.reader.stream_backwards(self._open_stream(stream), first, limit))

    def read_all_forwards(self, at_or_after: int, limit: int = PAGE_RECORDS) -> list[LogRecord]:
        """The log from a position on, hidden streams left out, at most a page."""
        return _records(self.reader.all_forwards(at_or_after, limit))

    def resolve(self, link: LogRecord) -> LogRecord | None:
        """The event that a `$>` link stands for, if it is visible."""
        return links.resolve(self.reader, link)

    def _open_stream(self, name: str) -> StreamRow:
        row = self.reader.stream(name)
        if row.last == MAX:
            raise StreamDeleted(name)
        return row

    def _committed(self, position: int, rows: Sequence[Row]) -> None:
        self.reader.tail.extend(rows)
        if position > self._last_position:
            self._last_position = position
            if self._high_water_mark is not None:
                self._high_water_mark.set(position)
            self._grown.set()
            self._grown = asyncio.Event()


def _records(rows: Iterable[Row]) -> list[LogRecord]:
    return [decode_frame(row[3]) for row in rows]
