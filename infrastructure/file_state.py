"""Tells whether a file was written or replaced since it was last looked at."""

from pathlib import Path
from typing import TypeAlias

FileState: TypeAlias = tuple[int, int, int]


def file_state(path: Path) -> FileState | None:
    """Inode, time of the last change in nanoseconds, and size; None where the file can't be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
