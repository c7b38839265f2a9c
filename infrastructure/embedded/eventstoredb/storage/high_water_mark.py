"""Remembers beside the database how far the log has come: one that ends earlier has lost acknowledged events.

SQLite takes a write-ahead file that is cut short or damaged for one that ends there. The mark is written after
each commit and never forced to disk: after a power cut it may be behind the log, which is no harm, never ahead.
"""

import os
from contextlib import suppress
from pathlib import Path

from infrastructure.embedded.eventstoredb.errors import StartRefused

FILE = "mark"
_FORM = b"%020d\n"


class HighWaterMark:
    """The number in the file is the position of the last committed record."""

    def __init__(self, folder: Path) -> None:
        """Raises StartRefused."""
        path = folder / FILE
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StartRefused(f"can't write there: {error.strerror}", path=path) from error

    def set(self, position: int) -> None:
        """On a full disk the mark stays behind, which is no harm."""
        with suppress(OSError):
            os.pwrite(self._descriptor, _FORM % position, 0)

    def close(self) -> None:
        os.close(self._descriptor)


def leave_mark(folder: Path, position: int) -> None:
    """For a folder whose files were taken away from a running server: the next start is to begin no new log there."""
    if folder.is_dir() and not any(folder.iterdir()):
        with suppress(OSError):
            (folder / FILE).write_bytes(_FORM % position)


def recorded_mark(folder: Path) -> int:
    """How far the log of a folder had come; 0 where there is no mark, or none that can be read."""
    try:
        return int((folder / FILE).read_text())
    except (OSError, ValueError):
        return 0
