"""Copies a log while its server runs: all that was acknowledged when the copying began, whole or not at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.embedded.eventstoredb.storage.folder import FILE
from infrastructure.embedded.eventstoredb.storage.inspection import connect_for_reading, find_fault, require_log


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy: where it is, the position of its last event, and its size."""

    folder: Path
    position: int
    size_bytes: int


def back_up(folder: Path, to: Path) -> Backup:
    """Copies the log of a folder into one that is new or empty, and looks through the copy. Raises StartRefused.

    SQLite copies one state of the file, beside which the server goes on writing. The mark of the folder stays behind:
    it may be ahead of the copy by then.
    """
    source, target = folder / FILE, to / FILE
    if not source.is_file():
        raise StartRefused("there is no event log", path=source)
    with _refusing(to):
        to.mkdir(parents=True, exist_ok=True)
        if any(to.iterdir()):
            raise StartRefused("a backup goes into a new folder or an empty one", path=to)
        part = target.with_name(f"{FILE}.part")
        position = _copy(source, part)
        part.replace(target)
        _sync(to)
    return Backup(to, position, target.stat().st_size)


@contextmanager
def _refusing(to: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StartRefused(f"the event log can't be copied: {error}", path=to) from error
    except OSError as error:
        raise StartRefused(f"the event log can't be copied: {error.strerror}", path=to) from error


def _copy(source: Path, part: Path) -> int:
    """The position of the copy's last event."""
    with closing(connect_for_reading(source)) as reading, closing(sqlite3.connect(part)) as copy:
        require_log(reading, source)
        reading.backup(copy)  # in one step, since a log that is written to would have it begin again between two
        if fault := find_fault(copy):
            raise StartRefused(f"the event log is damaged: {fault}", path=source)
        position: int = copy.execute("SELECT ifnull(max(position), 0) FROM records").fetchone()[0]
    _sync(part)
    return position


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
