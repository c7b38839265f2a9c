"""Finds out whether a log's file is whole and ours, without writing to it: SQLite would tidy up after a crash."""

import sqlite3
from pathlib import Path

from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.embedded.eventstoredb.storage.high_water_mark import FILE as MARK_FILE
from infrastructure.embedded.eventstoredb.storage.high_water_mark import recorded_mark

SCHEMA_VERSION = 1
APPLICATION_ID = 0x464F4C44  # "FOLD"
# Checked before the start, in a quarter of a second; what is larger is checked while it is served.
CHECKED_AT_ONCE_BYTES = 256 * 1024 * 1024


def inspect(path: Path) -> None:
    """Raises StartRefused, or sqlite3.DatabaseError for what SQLite itself finds wrong."""
    connection = connect_for_reading(path)
    try:
        require_log(connection, path)
        if path.stat().st_size <= CHECKED_AT_ONCE_BYTES and (fault := find_fault(connection)):
            raise StartRefused(f"the event log is damaged: {fault}", path=path)
        _check_end(connection, path)
    finally:
        connection.close()


def is_missing(path: Path) -> bool:
    """Whether there is no log yet. Raises StartRefused where there was one."""
    if path.exists() and path.stat().st_size:
        return False
    ahead = path.with_name(f"{path.name}-wal")
    if recorded_mark(path.parent) or (ahead.exists() and ahead.stat().st_size):
        raise StartRefused("the event log is gone; what belongs to it is still there", path=path)
    return True


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing: also when it is the last one to close, it leaves all files as they are."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )


def find_fault(connection: sqlite3.Connection) -> str | None:
    """Looks through the whole file, a gigabyte a second. Raises sqlite3.DatabaseError."""
    verdict: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return None if verdict == "ok" else verdict.splitlines()[-1]


def require_log(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StartRefused for a database that is none of ours, or of another schema."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise StartRefused("this is a database of another application", path=path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise StartRefused(f"the log has schema {version}, this program reads {SCHEMA_VERSION}", path=path)


def _check_end(connection: sqlite3.Connection, path: Path) -> None:
    last = connection.execute("SELECT ifnull(max(position), 0) FROM records").fetchone()[0]
    marked = recorded_mark(path.parent)
    if last < marked:
        raise StartRefused(
            f"the event log ends at position {last}, but had come to {marked}: events are missing;"
            f" to go on without them, delete the file {MARK_FILE}",
            path=path,
        )
