"""A sealed segment as the record that is stored of it, and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from esdbclient import NewEvent, RecordedEvent
from pydantic import BaseModel, ConfigDict

from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import SEGMENT, VOLUME
from infrastructure.aggregates.digested import digested
from infrastructure.aggregates.filters import filters_in, filters_text
from infrastructure.aggregates.snapshot import FORMAT, SnapshotRule, Unusable, read_as
from infrastructure.aggregates.states import Shown

SEGMENT_SEALED: Final = "SegmentSealed"


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """What a record says of a segment: the state after the record `last_id`, and filters of the commands' ids.

    They are those of its volume's segments up to this one. The state is of use under the same fingerprint only, the
    filters under any.
    """

    number: int
    last_version: int
    last_id: UUID
    fingerprint: str
    state: Shown
    commands: tuple[BloomFilter, ...]


def as_stored(segment: Segment, last_id: UUID, rule: SnapshotRule) -> StoredSegment:
    """What is to be stored of a segment that ends with the record `last_id`.

    Raises ValueError where the state could not be read back.
    """
    state = rule.stored(segment.state)
    return StoredSegment(segment.number, segment.last_version, last_id, rule.fingerprint, state, segment.commands)


def segment_event(stream: str, segment: StoredSegment) -> NewEvent:
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
    return digested(SEGMENT_SEALED, body)


def segments_in(records: Iterable[RecordedEvent], stream: str) -> dict[int, StoredSegment]:
    """The stream's segments by their numbers; of several the last, and what can't be read is passed by."""
    found: dict[int, StoredSegment] = {}
    for record in records:
        try:
            segment = segment_in(record, stream)
        except Unusable:
            continue
        found[segment.number] = segment
    return found


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    stream: str
    number: int
    last_version: int
    last_id: UUID
    format: int
    fingerprint: str
    state: Shown
    commands: str


def segment_in(record: RecordedEvent, stream: str) -> StoredSegment:
    """What the record says of this stream. Raises Unusable."""
    if record.type != SEGMENT_SEALED:
        raise Unusable("undecodable")
    said = read_as(_Body, record)
    if said.stream != stream:
        raise Unusable("other-stream")
    if said.format != FORMAT or said.number < 0 or said.last_version != (said.number + 1) * SEGMENT - 1:
        raise Unusable("undecodable")
    try:
        commands = filters_in(said.commands, said.number % VOLUME + 1)
    except ValueError as error:
        raise Unusable("undecodable") from error
    return StoredSegment(said.number, said.last_version, said.last_id, said.fingerprint, said.state, commands)
