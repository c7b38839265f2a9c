"""Where a fold may begin other than at the beginning: at states that are stored beside a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.record import Record
from infrastructure.history.records import Records
from infrastructure.snapshots.record import snapshot_in
from infrastructure.snapshots.rule import SnapshotRule, Unusable
from infrastructure.snapshots.segment_index import Place, Read, completed, segments_near
from infrastructure.snapshots.segments import StoredSegment
from infrastructure.snapshots.store import RETAINED


@dataclass(frozen=True, slots=True)
class Start:
    """The state after version `version`, if the stream holds the record `last_id` there."""

    version: int
    last_id: UUID
    state: Any


def starts(records: Records, rule: SnapshotRule, version: int) -> Iterator[Start]:
    """The states that are stored from before `version` or of it, the nearest first.

    A segment's end is found in two reads, mostly. Snapshots, which the newest versions alone have, are looked for
    where that leaves much to fold. Nothing but a full fold is left where all of these are of no use.
    """
    ends = list(_ends_of_segments(records, rule, version))
    behind = version - (ends[0].version if ends else -1)
    near = list(_snapshots(records, rule, version)) if behind >= rule.every else []
    yield from sorted([*near, *ends], key=lambda start: start.version, reverse=True)


def _snapshots(records: Records, rule: SnapshotRule, version: int) -> Iterator[Start]:
    for record in records.beside(snapshot_stream(records.stream), None, RETAINED, backwards=True):
        try:
            stored = snapshot_in(record, records.stream, rule)
            if stored.version <= version:
                yield Start(stored.version, stored.last_id, rule.state_in(stored.state, stored.version))
        except Unusable:
            continue


def _ends_of_segments(records: Records, rule: SnapshotRule, version: int) -> Iterator[Start]:
    """The end of the last segment that is over by then, and of earlier ones that were seen on the way to it."""
    number = (version + 1) // SEGMENT - 1
    if number < 0:
        return
    found = completed(segments_near(_segments(records), records.stream, number, rule.fingerprint))
    for other in sorted(found.values(), key=lambda segment: segment.number, reverse=True):
        if other.number <= number and (start := _end_of(other, rule)) is not None:
            yield start


def _end_of(segment: StoredSegment, rule: SnapshotRule) -> Start | None:
    if segment.fingerprint != rule.fingerprint:
        return None
    try:
        return Start(segment.last_version, segment.last_id, rule.state_in(segment.state, segment.last_version))
    except Unusable:
        return None


def _segments(records: Records) -> Read:
    kept = segment_stream(records.stream)

    async def read(place: Place) -> Sequence[Record]:
        return records.beside(kept, place.first, place.limit, backwards=place.first is None)

    return read
