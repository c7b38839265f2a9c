"""A log whose clock stepped back: what a store has written, with other times put into its file."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from infrastructure.embedded.eventstoredb.storage.folder import FILE
from infrastructure.embedded.eventstoredb.storage.frames import decode_frame, encode_frame

BEGUN: Final = datetime(2026, 3, 1, tzinfo=UTC)


def moment(second: int) -> datetime:
    """So many seconds after the beginning."""
    return BEGUN + timedelta(seconds=second)


def put_times(folder: Path, seconds: Mapping[int, int]) -> None:
    """Lets the records at these positions be written so many seconds after the beginning; the store does not run."""
    with sqlite3.connect(folder / FILE) as file:
        for position, second in seconds.items():
            [(stored,)] = file.execute("SELECT frame FROM records WHERE position = ?", (position,)).fetchall()
            created = int(moment(second).timestamp()) * 10_000_000
            frame = encode_frame(replace(decode_frame(stored), created=created))
            file.execute("UPDATE records SET created = ?, frame = ? WHERE position = ?", (created, frame, position))
    file.close()
