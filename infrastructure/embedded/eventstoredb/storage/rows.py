"""Rows as the storage hands them on."""

from dataclasses import dataclass
from typing import TypeAlias

from infrastructure.embedded.eventstoredb.storage.metadata import NOTHING, Metadata

# (key, stream, type, frame): the key is a position in reads of $all, a number in reads of a stream. Plain tuples,
# because reads make hundreds of thousands of them.
Row: TypeAlias = tuple[int, str, str, bytes]


@dataclass(frozen=True, slots=True)
class StreamRow:
    """What is known of a stream; `id` is None until something is written about it."""

    name: str
    id: int | None = None
    last: int = -1
    metadata: Metadata = NOTHING


SELECT_STREAM = "SELECT id, last, max_count, max_age, truncate_before FROM streams WHERE name = ?"


def stream_row(name: str, found: tuple[int, int, int | None, int | None, int | None] | None) -> StreamRow:
    """The row of a stream, also of one that is not there."""
    if found is None:
        return StreamRow(name)
    return StreamRow(name, found[0], found[1], Metadata(*found[2:]))
