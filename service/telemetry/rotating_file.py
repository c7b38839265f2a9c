"""A file that several processes append lines to, and that does not grow without bound."""

import fcntl
import os
from pathlib import Path
from typing import Final

LARGEST: Final = 64 * 1024 * 1024
"""Bytes after which a file of traces becomes the older one."""
_MODE: Final = 0o666  # less what the process masks


def older_of(path: Path) -> Path:
    """Where what was in the file before is kept; what was there is gone then."""
    return path.with_name(f"{path.name}.1")


class RotatingFile:
    """Appends to the file at `path`; one that has `largest` bytes becomes the older one, and a new one begins.

    Each process appends whole lines at once, to the file that is there under this name. One of them has it become the
    older one, by a lock on the file itself; the others notice that at their next append. All of it raises OSError.
    """

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self._path: Final = path
        self._largest: Final = largest
        self._file, self._is_torn = self._opened(), False

    def append(self, lines: bytes) -> None:
        """All of these lines. Where the disk is full a line may be torn; the next append begins on another one."""
        self._follow()
        if os.fstat(self._file).st_size >= self._largest:
            self._rotate()
        data = b"\n" + lines if self._is_torn else lines
        written = os.write(self._file, data)
        self._is_torn = written < len(data)
        if self._is_torn:
            raise OSError(f"{written} of {len(data)} bytes could be written")

    def close(self) -> None:
        """Closes it."""
        os.close(self._file)

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)

    def _follow(self) -> None:
        """Opens the file anew where another one has this name, or none."""
        if not self._is_there():
            self._reopen()

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        """Unless another process is at it: then the file becomes a little larger."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        try:
            if self._is_there():
                self._path.replace(older_of(self._path))
            self._reopen()
        except OSError:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            raise

    def _reopen(self) -> None:
        """The lock, where there is one, ends with the file that is closed."""
        opened = self._opened()
        os.close(self._file)
        self._file, self._is_torn = opened, False
