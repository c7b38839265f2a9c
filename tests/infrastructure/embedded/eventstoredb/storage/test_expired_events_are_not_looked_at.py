"""What `$maxAge` leaves of a stream is found at once, however much of it has expired."""

import sqlite3
import time

import pytest

from infrastructure.embedded.eventstoredb.storage.folder import open_log
from infrastructure.embedded.eventstoredb.storage.metadata import MAX
from infrastructure.embedded.eventstoredb.storage.reader import LogReader

EVENTS, AGE_SECONDS = 50_000, 3600
# Of SQLite's virtual machine: a hundred of these are a fraction of a millisecond, and a scan of all takes thousands.
STEPS = 1000


def filled(expired: int) -> sqlite3.Connection:
    """A log of one stream; so many of its events have expired."""
    connection, _ = open_log(None)
    now = time.time_ns() // 100
    old, fresh = now - 2 * AGE_SECONDS * 10_000_000, now
    connection.execute("INSERT INTO streams VALUES (1, 's', ?, NULL, ?, NULL)", (EVENTS - 1, AGE_SECONDS))
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
        " INSERT INTO records SELECT i + 1, 1, i, x'', 'T', CASE WHEN i < ? THEN ? ELSE ? END, 0, x'00' FROM n",
        (EVENTS, expired, old, fresh),
    )
    return connection


@pytest.mark.parametrize("expired", [0, 1, 49_997, EVENTS])
def test_expired_events_are_neither_read_nor_looked_at(expired: int) -> None:
    connection = filled(expired)
    reader, steps = LogReader(connection), 0
    row = reader.stream("s")

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, STEPS)
    read = [
        [found[0] for found in reader.stream_forwards(row, 0, 3)],
        [found[0] for found in reader.stream_backwards(row, MAX, 3)],
        [found[0] for found in reader.stream_backwards(row, 40_000, 1)],
        [found[0] for number in (0, 49_998) if (found := reader.at(row, number)) is not None],
    ]
    visible = range(expired, EVENTS)
    assert read == [
        list(visible[:3]),
        list(visible[:-4:-1]),
        [number for number in (40_000,) if number in visible],
        [number for number in (0, 49_998) if number in visible],
    ]
    assert steps < 100
