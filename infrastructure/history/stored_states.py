"""Finds the states that are stored beside a stream, from which a fold may begin instead of at its beginning."""

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
class StoredState:
    """The state after `version`; good only while the record of that version has the id `last_id`."""

    version: int
    last_id: UUID
    state: Any


def nearest_states(records: Records, rule: SnapshotRule, version: int) -> Iterator[StoredState]:
    """The stored states of `version` and of earlier versions, the nearest first; none where no stored one is usable.

    The end of a segment is mostly found in two reads. Snapshots, which exist only of the newest versions, are read
    where the end of the segment leaves many events to fold.
    """
    ends = list(_ends_of_segments(records, rule, version))
    behind = version - (ends[0].version if ends else -1)
    near = list(_snapshots(records, rule, version)) if behind >= rule.every else []
    yield from sorted([*near, *ends], key=lambda stored: stored.version, reverse=True)


def _snapshots(records: Records, rule: SnapshotRule, version: int) -> Iterator[StoredState]:
    for record in records.page_of(snapshot_stream(records.stream), None, RETAINED, backwards=True):
        try:
            snapshot = snapshot_in(record, records.stream, rule)
            if snapshot.version <= version:
                state = rule.state_in(snapshot.state, snapshot.version)
                yield StoredState(snapshot.version, snapshot.last_id, state)
        except Unusable:
            continue


def _ends_of_segments(records: Records, rule: SnapshotRule, version: int) -> Iterator[StoredState]:
    """The state at the end of the last segment that ends by `version`, and of earlier ones read on the way to it."""
    number = (version + 1) // SEGMENT - 1
    if number < 0:
        return
    found = completed(segments_near(_segments(records), records.stream, number, rule.fingerprint))
    for segment in sorted(found.values(), key=lambda segment: segment.number, reverse=True):
        if segment.number <= number and (stored := _end_of(segment, rule)) is not None:
            yield stored


def _end_of(segment: StoredSegment, rule: SnapshotRule) -> StoredState | None:
    if segment.fingerprint != rule.fingerprint:
        return None
    try:
        return StoredState(segment.last_version, segment.last_id, rule.state_in(segment.state, segment.last_version))
    except Unusable:
        return None


def _segments(records: Records) -> Read:
    segments = segment_stream(records.stream)

    async def read(place: Place) -> Sequence[Record]:
        return records.page_of(segments, place.first, place.limit, backwards=place.first is None)

    return read
