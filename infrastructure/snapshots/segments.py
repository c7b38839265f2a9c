"""Sealed segments as stored records."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter, filters_in, filters_text
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, SEGMENT
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.snapshots.record import StoredRecord, read_as, require_unaltered, with_checksum
from infrastructure.snapshots.rule import FORMAT, SnapshotRule, Unusable
from infrastructure.snapshots.state import StateJson

SEGMENT_SEALED: Final = "SegmentSealed"


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """The content of a segment's record: the state after the record `last_id`, and filters of the commands' ids.

    The filters are those of at most FILTERS_PER_RECORD segments, of which this one is the last. The state is valid only
    under the same fingerprint, the filters under any.
    """

    number: int
    last_version: int
    last_id: UUID
    fingerprint: str
    state: StateJson
    commands: tuple[BloomFilter, ...]


def as_stored(segment: Segment, last_id: UUID, rule: SnapshotRule) -> StoredSegment:
    """The content to store for a segment that ends with the record `last_id`.

    Raises ValueError for a state that could not be read back.
    """
    state = rule.stored(segment.state)
    return StoredSegment(segment.number, segment.last_version, last_id, rule.fingerprint, state, segment.commands)


def segment_record(stream: str, segment: StoredSegment) -> NewRecord:
    """The record to store."""
    body = {
        "stream": stream,
        "number": segment.number,
        "last_version": segment.last_version,
        "last_id": str(segment.last_id),
        "format": FORMAT,
        "fingerprint": segment.fingerprint,
        "state": segment.state,
        "commands": filters_text(segment.commands),
    }
    return with_checksum(SEGMENT_SEALED, body)


class _Body(StoredRecord):
    stream: str
    number: int
    last_version: int
    last_id: UUID
    format: int
    fingerprint: str
    state: StateJson
    commands: str


def segment_in(record: Record, stream: str) -> StoredSegment:
    """The content of the record. Raises Unusable for one of another stream, and for one that is no segment."""
    require_unaltered(record, SEGMENT_SEALED)
    body = read_as(_Body, record)
    if body.stream != stream:
        raise Unusable("other-stream")
    if body.format != FORMAT or body.number < 0 or body.last_version != (body.number + 1) * SEGMENT - 1:
        raise Unusable("undecodable")
    try:
        commands = filters_in(body.commands, body.number % FILTERS_PER_RECORD + 1)
    except ValueError as error:
        raise Unusable("undecodable") from error
    return StoredSegment(body.number, body.last_version, body.last_id, body.fingerprint, body.state, commands)
