"""The data folder of a process: its lock, the room on its disk, and the path of a socket in it.

LockError
├── LockUnusable    the folder can't be written or locked
└── LockHeld        another process held the lock all the time
"""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

PATIENCE: Final = 10.0  # seconds: a predecessor that is just stopping is waited for
SOCKET_BYTES: Final = (
    99  # what every system and client takes as a socket's path; the kernel takes 107, some clients less
)
# A start writes less than half of this; with less room some of it succeeds, and what runs then can write nothing.
_ROOM_BYTES: Final = 1024 * 1024
_TAKEN: Final = (errno.EWOULDBLOCK, errno.EACCES)


class LockError(Exception):
    """Anything that keeps a folder from being locked."""


class LockUnusable(LockError):
    """The folder of the lock at `path` can't be used, for this `reason`."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class LockHeld(LockError):
    """Another process holds the lock at `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is held by another process")
        self.path = path


@contextmanager
def held(lock: Path) -> Iterator[int]:
    """Holds a folder by the lock file in it, which is made, with the folder, where it is missing.

    Yields the lock's descriptor: a process that inherits it holds the folder too, so that the next one begins only when
    the last of them is gone. Waits for that at most `PATIENCE` seconds. Raises LockUnusable or LockHeld.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LockUnusable(lock, error.strerror or str(error)) from error
    try:
        _take(descriptor, lock)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int, lock: Path) -> None:
    until = monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise LockUnusable(lock, error.strerror or str(error)) from error
            if monotonic() > until:
                raise LockHeld(lock) from error
        sleep(0.05)


def shortage(folder: Path) -> str:
    """A sentence's end about the disk of a folder, which need not exist, if it is full; else empty."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    disk = os.statvfs(there)
    if disk.f_bavail * disk.f_frsize >= _ROOM_BYTES and (disk.f_favail or not disk.f_files):
        return ""
    return f"; the disk of {there} is full: free some space there, and start again"


@contextmanager
def socket_path(wish: Path) -> Iterator[Path]:
    """The wished-for path of a socket, or one in a short temporary folder where that is longer than it may be."""
    if len(os.fsencode(wish)) <= SOCKET_BYTES:
        yield wish
        return
    with tempfile.TemporaryDirectory(prefix="foldstream-", ignore_cleanup_errors=True) as short:
        yield Path(short) / wish.name
