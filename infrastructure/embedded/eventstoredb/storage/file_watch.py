"""Notices that the files of a running log are gone or replaced: what is written to them then is lost."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import structlog

_PERIOD_SECONDS = 0.5
logger = structlog.get_logger()


class FilesReplaced(Exception):
    """A file of the log is not the one that was opened."""


class FileWatch:
    """Compares what has the files' names with what had them at the start."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Those of the files that are there now."""
        found = ((path, _identity(path)) for path in paths)
        self._opened = {path: identity for path, identity in found if identity is not None}
        self._stopped = False

    def check(self) -> None:
        """Costs some microseconds. Raises FilesReplaced."""
        for path, opened in self._opened.items():
            current = _identity(path)
            if current != opened:
                raise FilesReplaced(f"{path} is {'gone' if current is None else 'another file'}")

    async def failed(self) -> None:
        """Returns only when a file is gone or replaced before the watch is stopped."""
        while not self._stopped:
            try:
                self.check()
            except FilesReplaced as error:
                logger.critical("log_damaged", path=str(next(iter(self._opened))), fault=str(error))
                return
            await asyncio.sleep(_PERIOD_SECONDS)
        await asyncio.Event().wait()

    def stop(self) -> None:
        """Before the log is closed: SQLite itself then removes what it wrote ahead."""
        self._stopped = True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
