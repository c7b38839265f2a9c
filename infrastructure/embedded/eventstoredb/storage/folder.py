"""Opens the log's folder: one process at a time, and only files that are whole and ours."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.embedded.eventstoredb.storage import schema
from infrastructure.embedded.eventstoredb.storage.file_watch import FileWatch
from infrastructure.embedded.eventstoredb.storage.high_water_mark import FILE as MARK_FILE
from infrastructure.embedded.eventstoredb.storage.inspection import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    inspect,
    is_missing,
)
from infrastructure.embedded.folder import LockHeld, LockUnusable, held

FILE, LOCK = "events.db", "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder; waits a while for a predecessor that is still stopping.

    Raises StartRefused when it can't be had.
    """
    try:
        with held(folder / LOCK):
            yield
    except LockUnusable as error:
        raise StartRefused(f"can't write there: {error.reason}", path=folder) from error
    except LockHeld as error:
        raise StartRefused("the data folder is in use by another process", path=folder) from error


def open_log(folder: Path | None) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """A connection to write with and one to read with; in memory they are the same.

    Raises StartRefused for a file that is no log, is damaged, or is of another version.
    """
    if folder is None:
        memory = _connect(":memory:")
        _create(memory)
        return memory, memory
    path = folder / FILE
    try:
        if is_missing(path):
            _create_file(path)
        _check_rights(path)
        inspect(path)
        return _open_file(path)
    except sqlite3.DatabaseError as error:
        raise StartRefused(f"the event log can't be opened: {error}", path=path) from error
    except OSError as error:
        raise StartRefused(f"the event log can't be opened: {error.strerror}", path=path) from error


def watch(folder: Path) -> FileWatch:
    """The files of an open log, whose names nothing else may take."""
    return FileWatch(folder / name for name in (FILE, f"{FILE}-wal", f"{FILE}-shm", LOCK, MARK_FILE))


def _open_file(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    writer = _connect(str(path))
    try:
        for setting in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000"):
            writer.execute(f"PRAGMA {setting}")
        reader = _connect(str(path))
        reader.execute("PRAGMA query_only = ON")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        with suppress(sqlite3.Error):
            writer.close()
        raise
    return writer, reader


def _check_rights(path: Path) -> None:
    """SQLite itself would serve a file that it may only read, and fail at the first write."""
    for file in (path, path.with_name(f"{path.name}-wal")):
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            raise StartRefused(f"can't write there: {os.strerror(errno.EACCES)}", path=file)


def _connect(path: str) -> sqlite3.Connection:
    """Without SQLite's own wait for locks, which would hold up the event loop."""
    connection = sqlite3.connect(path, timeout=0.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA cache_size = -24576")  # KiB
    return connection


def _create_file(path: Path) -> None:
    """Under another name first: whatever has the right name is whole."""
    new = path.with_name(f"{path.name}.new")
    for leftover in path.parent.glob(f"{new.name}*"):
        leftover.unlink()
    connection = _connect(str(new))
    try:
        connection.execute("PRAGMA page_size = 8192")
        _create(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    new.replace(path)
    _sync(path.parent)


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN; {schema.SQL} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
