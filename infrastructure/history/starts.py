"""Where a fold may begin other than at the beginning: at states that are stored beside a stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.aggregates.segment import StoredSegment
from infrastructure.aggregates.segment_search import Search, segments_near
from infrastructure.aggregates.snapshot import SnapshotRule, Unusable, snapshot_in
from infrastructure.aggregates.snapshot_streams import KEPT
from infrastructure.eventstore.streams import segment_stream, snapshot_stream
from infrastructure.history.records import Records

ResultT = TypeVar("ResultT")


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
    for record in records.beside(snapshot_stream(records.stream), None, KEPT, backwards=True):
        try:
            said = snapshot_in(record, records.stream, rule)
            if said.version <= version:
                yield Start(said.version, said.last_id, rule.state_in(said.state, said.version))
        except Unusable:
            continue


def _ends_of_segments(records: Records, rule: SnapshotRule, version: int) -> Iterator[Start]:
    """The end of the last segment that is over by then, and of earlier ones that were seen on the way to it."""
    number = (version + 1) // SEGMENT - 1
    if number < 0:
        return
    found = _found(records, segments_near(records.stream, number, rule.fingerprint))
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


def _found(records: Records, search: Search[ResultT]) -> ResultT:
    kept = segment_stream(records.stream)
    try:
        place = next(search)
        while True:
            place = search.send(records.beside(kept, place.first, place.limit, backwards=place.first is None))
    except StopIteration as end:
        result: ResultT = end.value
        return result
