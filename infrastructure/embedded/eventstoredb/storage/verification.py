"""Checks a log that is too large to be checked before the start, while it is served."""

import asyncio
import sqlite3
from pathlib import Path

import structlog

from infrastructure.embedded.eventstoredb.storage.inspection import (
    CHECKED_AT_ONCE_BYTES,
    connect_for_reading,
    find_fault,
)

logger = structlog.get_logger()


class Verification:
    """One check, in a thread. Needs a running event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect_for_reading(path)
        is_needed = path.stat().st_size > CHECKED_AT_ONCE_BYTES
        self._check = asyncio.create_task(asyncio.to_thread(self._find_fault)) if is_needed else None

    async def failed(self) -> None:
        """Returns only when the log has turned out to be damaged."""
        fault = await asyncio.shield(self._check) if self._check else None
        if fault is None:
            await asyncio.Event().wait()
        logger.critical("log_damaged", path=str(self._path), fault=fault)

    async def stop(self) -> None:
        """Does not wait for the end of the file."""
        if self._check:
            self._connection.interrupt()
            await asyncio.wait([self._check])
        self._connection.close()

    def _find_fault(self) -> str | None:
        try:
            return find_fault(self._connection)
        except sqlite3.OperationalError as error:
            return None if str(error) == "interrupted" else str(error)
        except sqlite3.DatabaseError as error:
            return str(error)
