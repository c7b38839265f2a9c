"""Writes a log straight into its file, since writing it is not what is measured."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import uuid4

from infrastructure.embedded.eventstoredb.storage.folder import open_log
from infrastructure.embedded.eventstoredb.storage.record import PendingRecord
from infrastructure.embedded.eventstoredb.storage.transaction import Transaction

CATEGORY: Final = "bench"
EVENT_BYTES: Final = 400
METADATA: Final = json.dumps({"$correlationId": "00000000-0000-0000-0000-000000000007", "actor": "bench"}).encode()
_PER_STREAM: Final = 20
_PER_TRANSACTION: Final = 20_000


def data(number: int) -> bytes:
    """Data that make an event of 400 bytes together with METADATA."""
    beginning = f'{{"number": {number}, "text": "'
    return f'{beginning}{"x" * (EVENT_BYTES - len(METADATA) - len(beginning) - 2)}"}}'.encode()


def fill(folder: Path, first: int, end: int) -> None:
    """Adds the events with these numbers, 20 to a stream; the streams' names end in all hexadecimal digits alike."""
    with _opened(folder) as connection:
        for start in range(first, end, _PER_TRANSACTION):
            _write(connection, range(start, min(start + _PER_TRANSACTION, end)))


def fill_stream(folder: Path, stream: str, events: Iterable[PendingRecord]) -> None:
    """Writes a stream of these events; every twenty of them have the same time."""
    left = iter(events)
    fill_streams(folder, ((stream, some) for some in iter(lambda: list(islice(left, _PER_STREAM)), [])))


def fill_streams(folder: Path, appends: Iterable[tuple[str, Sequence[PendingRecord]]]) -> None:
    """Writes these appends, each a stream's name and the next events of that stream, in this order."""
    left = iter(appends)
    with _opened(folder) as connection:
        while some := list(islice(left, _PER_TRANSACTION)):
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection)
            for stream, events in some:
                transaction.write(stream, transaction.stream(stream).last + 1, events)
            connection.commit()


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    writing, reading = open_log(folder)
    try:
        with _without_indexes(writing):
            yield writing
    finally:
        reading.close()
        writing.close()


@contextmanager
def _without_indexes(connection: sqlite3.Connection) -> Iterator[None]:
    """Without indexes while the block lasts: millions of random ids are indexed at once far faster than one by one."""
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'records' AND sql IS NOT NULL"
    indexes = connection.execute(found).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        connection.execute(definition)


def _write(connection: sqlite3.Connection, numbers: range) -> None:
    connection.execute("BEGIN IMMEDIATE")
    transaction = Transaction(connection)
    for first in range(numbers.start, numbers.stop, _PER_STREAM):
        part = range(first, min(first + _PER_STREAM, numbers.stop))
        events = [PendingRecord(uuid4(), "Measured", True, data(number), METADATA) for number in part]
        stream = f"{CATEGORY}-{first // _PER_STREAM:08x}"
        transaction.write(stream, transaction.stream(stream).last + 1, events)
    connection.commit()
