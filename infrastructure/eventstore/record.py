"""A record of the event store as everybody outside this folder sees it: one that is stored, and one to be stored."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from esdbclient import RecordedEvent

JSON: Final = "application/json"
TOMBSTONE_VERSION: Final = 2**63 - 1
"""The version of the record that marks a stream as deleted for good."""


class Record(NamedTuple):
    """One record as it is stored. A tuple, since one is made of every record that is read.

    `version` is its number in its stream, from 0; `position` its commit position in the log, and `at` the server's
    clock when it was written, in UTC. Both are None only for records of servers that do not say.
    """

    stream: str
    version: int
    position: int | None
    id: UUID
    type: str
    data: bytes
    metadata: bytes
    at: datetime | None
    content_type: str = JSON
    prepare_position: int | None = None


class RecordHeader(NamedTuple):
    """A record as a search looks at it: where it lies, its type and its metadata."""

    stream: str
    version: int
    position: int
    type: str
    metadata: bytes


class NewRecord(NamedTuple):
    """One record to be stored. It has no id: every send draws fresh ones."""

    type: str
    data: bytes
    metadata: bytes = b""
    content_type: str = JSON


def record_of(recorded: RecordedEvent) -> Record:
    """The client's record as ours."""
    return Record(
        recorded.stream_name,
        recorded.stream_position,
        recorded.commit_position,
        recorded.id,
        recorded.type,
        recorded.data,
        recorded.metadata,
        recorded.recorded_at,
        recorded.content_type,
        recorded.prepare_position,
    )
