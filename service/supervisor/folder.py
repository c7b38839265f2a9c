"""The data folder of one machine: locked for one service at a time, with a list of the service's processes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from infrastructure.embedded import folder as embedded
from service.errors import DataFolderInUse, DataFolderUnusable

_log = structlog.get_logger(__name__)


@contextmanager
def lock_folder(folder: Path) -> Iterator[int]:
    """Holds the folder for this service; yields the lock's descriptor.

    A child that inherits the descriptor holds the folder too, so that a next service begins only when the last process
    of the one before is gone, also after the supervisor was killed. Raises DataFolderUnusable or DataFolderInUse.
    """
    try:
        with embedded.held(folder / "run" / "lock") as lock:
            yield lock
    except embedded.LockUnusable as error:
        raise DataFolderUnusable(folder, error.reason) from error
    except embedded.LockHeld as error:
        raise DataFolderInUse(folder) from error


def record(folder: Path, processes: Sequence[Mapping[str, str | int]]) -> None:
    """Writes `run/processes.json`: `name` and `pid` of every process, the `uri` of those that answer at one.

    The file is replaced as a whole. A full disk stops nothing else.
    """
    path = folder / "run" / "processes.json"
    try:
        path.with_suffix(".new").write_text(json.dumps(processes, indent=2) + "\n", encoding="utf-8")
        path.with_suffix(".new").replace(path)
    except OSError as error:
        _log.warning("processes_unrecorded", path=str(path), reason=error.strerror)


def forget(folder: Path) -> None:
    """Removes the list: nothing runs any more."""
    with suppress(OSError):
        (folder / "run" / "processes.json").unlink(missing_ok=True)
