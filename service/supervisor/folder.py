"""The data folder of one machine: one service at a time, and a list of its processes for whoever looks in."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import structlog

from service.errors import FolderInUse, FolderUnusable

LOCK_SECONDS: Final = 10.0
SOCKET_BYTES: Final = 99  # what every system and client takes as a socket's path
_log = structlog.get_logger(__name__)


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Holds the folder for this service; yields the lock's descriptor.

    A child that inherits the descriptor holds the folder too, so that a next service begins only when the last process
    of the one before is gone, also after the supervisor was killed. Waits that long, at most `LOCK_SECONDS`.
    Raises FolderUnusable or FolderInUse.
    """
    try:
        (folder / "run").mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "run" / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise FolderUnusable(folder, error.strerror or str(error)) from error
    try:
        _take(lock, folder)
        yield lock
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    until = monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if monotonic() > until:
                raise FolderInUse(folder) from error
            sleep(0.05)
        except OSError as error:
            raise FolderUnusable(folder, error.strerror or str(error)) from error
        else:
            return


def record(folder: Path, processes: Sequence[Mapping[str, str | int]]) -> None:
    """Writes `run/processes.json`: `name` and `pid` of every process, the `uri` of those that answer at one.

    The file is whole at any time. A full disk stops nothing else.
    """
    path = folder / "run" / "processes.json"
    try:
        path.with_suffix(".new").write_text(json.dumps(processes, indent=2) + "\n", encoding="utf-8")
        path.with_suffix(".new").replace(path)
    except OSError as error:
        _log.warning("processes_unrecorded", path=str(path), reason=error.strerror)


def forget(folder: Path) -> None:
    """Takes the list away: nothing runs any more."""
    with suppress(OSError):
        (folder / "run" / "processes.json").unlink(missing_ok=True)


@contextmanager
def socket_path(folder: Path) -> Iterator[Path]:
    """Where Redis listens: in the folder, or in a short temporary one where the folder's path is too long for that."""
    path = folder / "run" / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_BYTES:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="foldstream-", ignore_cleanup_errors=True) as short:
        yield Path(short) / "redis.sock"
