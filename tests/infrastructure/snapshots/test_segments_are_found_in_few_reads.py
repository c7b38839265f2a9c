"""However often segments were stored, dropped and stored again, each is found in a few reads, and stored once."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.stream_name import segment_stream
from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, SEGMENT
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.snapshots.segment_index import (
    Place,
    completed,
    filters_of_segments,
    segments_near,
    unstored_segments,
)
from infrastructure.snapshots.segments import StoredSegment, as_stored, segment_record
from tests.infrastructure.commands.tally import Tally
from tests.infrastructure.snapshots.tally_snapshots import RULE, recorded

STREAM: Final = "tally-0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"
OLD, NEW, OTHER = RULE, replace(RULE, revision=2), replace(RULE, revision=3)
FILTERS: Final = [BloomFilter(bytes([number]) + bytes(10_239)) for number in range(2 * FILTERS_PER_RECORD)]


@dataclass
class SegmentStream:
    """A stream of segments in memory; `reads` are the numbers of records that each read of the last search found."""

    records: list[Record] = field(default_factory=list)
    truncated_before: int = 0
    reads: list[int] = field(default_factory=list)

    async def read(self, place: Place) -> Sequence[Record]:
        """What the store's client would read there, without waiting."""
        found = self.visible[-1:] if place.first is None else self._from(place.first)[: place.limit]
        self.reads.append(len(found))
        return found

    @property
    def visible(self) -> list[Record]:
        return self.records[self.truncated_before :]

    def _from(self, first: int) -> list[Record]:
        return [record for record in self.visible if record.version >= first]

    def store(self, segments: Iterable[StoredSegment]) -> int:
        """Stores those that are not stored as they are here; how many these were."""
        self.reads.clear()
        missing = completed(unstored_segments(self.read, STREAM, list(segments)))
        for segment in missing:
            self.add(segment_record(STREAM, segment))
        return len(missing)

    def add(self, record: NewRecord) -> None:
        self.records.append(recorded(record, segment_stream(STREAM), len(self.records)))

    def drop(self) -> None:
        self.truncated_before = len(self.records)

    def near(self, number: int, rule: SnapshotRule = OLD) -> StoredSegment | None:
        """The segment of this number, as a search for it finds it."""
        self.reads.clear()
        return completed(segments_near(self.read, STREAM, number, rule.fingerprint)).get(number)

    def filters(self, sealed: int) -> list[BloomFilter]:
        """Those of the first segments, as far as they are found."""
        self.reads.clear()
        return completed(filters_of_segments(self.read, STREAM, sealed))


def segment(number: int, rule: SnapshotRule = OLD, count: int = 0) -> StoredSegment:
    own = tuple(FILTERS[number - number % FILTERS_PER_RECORD : number + 1])
    sealed = Segment(number, (number + 1) * SEGMENT - 1, Tally(count=Decimal(count)), own)
    return as_stored(sealed, UUID(int=number), rule)


def segments(*numbers: int, rule: SnapshotRule = OLD, count: int = 0) -> list[StoredSegment]:
    return [segment(number, rule, count) for number in numbers]


def test_what_ends_is_added_and_nothing_is_read_but_the_newest() -> None:
    stored = SegmentStream()
    for number in range(5):
        assert stored.store(segments(number)) == 1
        assert stored.reads == [min(number, 1)]


def test_each_is_found_in_two_reads() -> None:
    stored = SegmentStream()
    stored.store(segments(*range(5)))
    for number in range(5):
        assert stored.near(number) == segment(number)
        assert stored.reads == ([1] if number == 4 else [1, 1])


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_was_stored_anew_under_another_revision_is_found_in_two_reads(times: int) -> None:
    stored = SegmentStream()
    stored.store(segments(*range(5)))
    assert [stored.store(segments(*range(5), rule=NEW)) for _ in range(times)] == [5, *([0] * (times - 1))]
    stored.store(segments(5, rule=NEW))
    for number in range(6):
        assert stored.near(number, NEW) == segment(number, NEW)
        assert len(stored.reads) <= 2
        assert stored.filters(number + 1) == FILTERS[: number + 1]
        assert len(stored.reads) <= 2


def test_what_a_former_release_stored_is_found_by_it_still() -> None:
    """While both releases run, neither stores again what it has stored."""
    stored = SegmentStream()
    stored.store(segments(*range(5)))
    stored.store(segments(*range(5), rule=NEW))
    stored.store(segments(5))
    stored.store(segments(5, rule=NEW))
    for rule in (OLD, NEW):
        assert [stored.near(number, rule) for number in range(6)] == segments(*range(6), rule=rule)
        assert stored.store(segments(*range(6), rule=rule)) == 0


def test_what_was_dropped_and_stored_anew_is_found_as_before() -> None:
    sealed = FILTERS_PER_RECORD + 8
    stored = SegmentStream()
    stored.store(segments(*range(sealed)))
    assert stored.filters(sealed) == FILTERS[:sealed]
    before = list(stored.reads)
    stored.drop()
    assert stored.near(3) is None
    assert stored.store(segments(*range(sealed))) == sealed
    assert stored.store(segments(*range(sealed))) == 0
    assert stored.filters(sealed) == FILTERS[:sealed]
    assert stored.reads == before == [1, 1]
    for number in range(sealed):
        assert stored.near(number) == segment(number)
        assert len(stored.reads) <= 2


def test_one_that_ends_after_all_were_dropped_is_no_obstacle() -> None:
    stored = SegmentStream()
    stored.store(segments(*range(5)))
    stored.drop()
    stored.store(segments(5))
    assert stored.filters(6) == FILTERS[:6]  # it has those of its volume
    assert stored.near(2) is None
    assert stored.store(segments(*range(6))) == 6
    assert [stored.near(number) for number in range(6)] == segments(*range(6))


def test_a_wrong_one_in_the_midst_is_replaced_by_what_is_found() -> None:
    stored = SegmentStream()
    for each in (segment(0), segment(1, count=9), segment(2)):
        stored.add(segment_record(STREAM, each))
    assert stored.store(segments(*range(3))) == 2
    stored.store(segments(3))
    assert [stored.near(number) for number in range(4)] == segments(*range(4))
    assert stored.store(segments(*range(4))) == 0


def test_where_it_is_not_stored_under_the_fingerprint_the_last_that_says_so_is_given() -> None:
    stored = SegmentStream()
    stored.store(segments(*range(3)))
    stored.store(segments(*range(3), rule=OTHER))
    assert stored.near(1, NEW) == segment(1, OTHER)


def test_what_can_not_be_read_tells_no_place() -> None:
    stored = SegmentStream()
    stored.store(segments(*range(3)))
    for _ in range(3):
        stored.add(NewRecord("SegmentSealed", b"{"))
    assert [stored.near(number) for number in range(3)] == segments(*range(3))
    assert stored.filters(3) == FILTERS[:3]


def test_those_in_disorder_are_found_by_reading_all() -> None:
    stored = SegmentStream()
    for number in (2, 0, 1):
        stored.add(segment_record(STREAM, segment(number)))
    assert stored.filters(3) == FILTERS[:3]
    assert stored.store(segments(*range(3))) == 0


class _Never:
    """What is awaited in vain."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def test_a_thread_refuses_reads_that_need_an_event_loop() -> None:
    async def read(_: Place) -> Sequence[Record]:
        await _Never()
        return ()

    with pytest.raises(RuntimeError, match="a read awaited something"):
        completed(filters_of_segments(read, STREAM, 1))


RULES = st.sampled_from([OLD, NEW, OTHER])
STEPS = st.tuples(st.sampled_from(["grow", "retake", "drop"]), RULES)


@settings(deadline=None)  # how long it takes depends on what else the machine does
@given(st.lists(STEPS, max_size=12))
def test_whatever_was_done_a_retake_is_enough_and_is_done_once(steps: list[tuple[str, SnapshotRule]]) -> None:
    stored, sealed = SegmentStream(), 1
    for step, rule in [*steps, ("grow", OLD)]:
        if step == "drop":
            stored.drop()
            continue
        if step == "grow":
            stored.store(segments(sealed, rule=rule))
            sealed += 1
            continue
        stored.store(segments(*range(sealed), rule=rule))
        assert stored.store(segments(*range(sealed), rule=rule)) == 0
        assert [stored.near(number, rule) for number in range(sealed)] == segments(*range(sealed), rule=rule)
        assert stored.filters(sealed) == FILTERS[:sealed]
    for rule in (OLD, NEW):
        stored.store(segments(*range(sealed), rule=rule))
    assert [stored.near(number, OLD) for number in range(sealed)] == segments(*range(sealed))
    filters = [stored.filters(number) for number in range(sealed + 1)]
    assert list(chain(*filters)) == list(chain(*(FILTERS[:number] for number in range(sealed + 1))))
