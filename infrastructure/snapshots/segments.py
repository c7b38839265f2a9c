"""A sealed segment as the record that is stored of it, and back."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter, filters_in, filters_text
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, SEGMENT
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.snapshots.record import StoredRecord, demand_unaltered, read_as, with_checksum
from infrastructure.snapshots.rule import FORMAT, SnapshotRule, Unusable
from infrastructure.snapshots.state import StateJson

SEGMENT_SEALED: Final = "SegmentSealed"


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """What a record says of a segment: the state after the record `last_id`, and filters of the commands' ids.

    The filters are those of at most FILTERS_PER_RECORD segments, of which this one is the last. The state is of use
    under the same fingerprint only, the filters under any.
    """

    number: int
    last_version: int
    last_id: UUID
    fingerprint: str
    state: StateJson
    commands: tuple[BloomFilter, ...]


def as_stored(segment: Segment, last_id: UUID, rule: SnapshotRule) -> StoredSegment:
    """What is to be stored of a segment that ends with the record `last_id`.

    Raises ValueError where the state could not be read back.
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
    """What the record says of this stream. Raises Unusable."""
    demand_unaltered(record, SEGMENT_SEALED)
    said = read_as(_Body, record)
    if said.stream != stream:
        raise Unusable("other-stream")
    if said.format != FORMAT or said.number < 0 or said.last_version != (said.number + 1) * SEGMENT - 1:
        raise Unusable("undecodable")
    try:
        commands = filters_in(said.commands, said.number % FILTERS_PER_RECORD + 1)
    except ValueError as error:
        raise Unusable("undecodable") from error
    return StoredSegment(said.number, said.last_version, said.last_id, said.fingerprint, said.state, commands)
