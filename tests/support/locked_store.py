"""A lock on the embedded event store's file, as backup tools hold one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from infrastructure.embedded.eventstoredb.storage.folder import FILE


@contextmanager
def locked(folder: Path) -> Iterator[sqlite3.Connection]:
    """While another process holds it."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
