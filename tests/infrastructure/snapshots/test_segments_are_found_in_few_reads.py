"""However often segments were stored, dropped and stored again, each is found in a few reads, and stored once."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain
from typing import Final, TypeVar
from uuid import UUID

import pytest
from esdbclient import NewEvent, RecordedEvent
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, SEGMENT
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.snapshots.segment_index import Search, filters_of_segments, segments_near, unstored
from infrastructure.snapshots.segments import StoredSegment, as_stored, segment_record
from tests.infrastructure.commands.tally import Tally
from tests.infrastructure.snapshots.tally_snapshots import RULE, recorded

STREAM: Final = "tally-0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"
OLD, NEW, OTHER = RULE, replace(RULE, revision=2), replace(RULE, revision=3)
FILTERS: Final = [BloomFilter(bytes([number]) + bytes(10_239)) for number in range(2 * FILTERS_PER_RECORD)]
ResultT = TypeVar("ResultT")


@dataclass
class Shelf:
    """A stream of segments; `reads` are the records of each read."""

    records: list[RecordedEvent] = field(default_factory=list)
    truncated_before: int = 0
    reads: list[int] = field(default_factory=list)

    def answer(self, search: Search[ResultT]) -> ResultT:
        self.reads.clear()
        try:
            place = next(search)
            while True:
                found = self.visible[-1:] if place.first is None else self._from(place.first)[: place.limit]
                self.reads.append(len(found))
                place = search.send(found)
        except StopIteration as end:
            result: ResultT = end.value
            return result

    @property
    def visible(self) -> list[RecordedEvent]:
        return self.records[self.truncated_before :]

    def _from(self, first: int) -> list[RecordedEvent]:
        return [record for record in self.visible if record.stream_position >= first]

    def store(self, segments: Iterable[StoredSegment]) -> int:
        """How many of these were not stored just so."""
        missing = self.answer(unstored(STREAM, list(segments)))
        for segment in missing:
            self.add(segment_record(STREAM, segment))
        return len(missing)

    def add(self, event: NewEvent) -> None:
        self.records.append(recorded(event, f"segments-{STREAM}", len(self.records)))

    def drop(self) -> None:
        self.truncated_before = len(self.records)

    def near(self, number: int, rule: SnapshotRule = OLD) -> StoredSegment | None:
        return self.answer(segments_near(STREAM, number, rule.fingerprint)).get(number)


def segment(number: int, rule: SnapshotRule = OLD, count: int = 0) -> StoredSegment:
    volume = tuple(FILTERS[number - number % FILTERS_PER_RECORD : number + 1])
    sealed = Segment(number, (number + 1) * SEGMENT - 1, Tally(count=Decimal(count)), volume)
    return as_stored(sealed, UUID(int=number), rule)


def segments(*numbers: int, rule: SnapshotRule = OLD, count: int = 0) -> list[StoredSegment]:
    return [segment(number, rule, count) for number in numbers]


def test_what_ends_is_added_and_nothing_is_read_but_the_newest() -> None:
    shelf = Shelf()
    for number in range(5):
        assert shelf.store(segments(number)) == 1
        assert shelf.reads == [min(number, 1)]


def test_each_is_found_in_two_reads() -> None:
    shelf = Shelf()
    shelf.store(segments(*range(5)))
    for number in range(5):
        assert shelf.near(number) == segment(number)
        assert shelf.reads == ([1] if number == 4 else [1, 1])


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_was_stored_anew_under_another_revision_is_found_in_two_reads(times: int) -> None:
    shelf = Shelf()
    shelf.store(segments(*range(5)))
    assert [shelf.store(segments(*range(5), rule=NEW)) for _ in range(times)] == [5, *([0] * (times - 1))]
    shelf.store(segments(5, rule=NEW))
    for number in range(6):
        assert shelf.near(number, NEW) == segment(number, NEW)
        assert len(shelf.reads) <= 2
        assert shelf.answer(filters_of_segments(STREAM, number + 1)) == FILTERS[: number + 1]
        assert len(shelf.reads) <= 2


def test_what_a_former_release_stored_is_found_by_it_still() -> None:
    """While both releases run, neither stores again what it has stored."""
    shelf = Shelf()
    shelf.store(segments(*range(5)))
    shelf.store(segments(*range(5), rule=NEW))
    shelf.store(segments(5))
    shelf.store(segments(5, rule=NEW))
    for rule in (OLD, NEW):
        assert [shelf.near(number, rule) for number in range(6)] == segments(*range(6), rule=rule)
        assert shelf.store(segments(*range(6), rule=rule)) == 0


def test_what_was_dropped_and_stored_anew_is_found_as_before() -> None:
    sealed = FILTERS_PER_RECORD + 8
    shelf = Shelf()
    shelf.store(segments(*range(sealed)))
    assert shelf.answer(filters_of_segments(STREAM, sealed)) == FILTERS[:sealed]
    before = list(shelf.reads)
    shelf.drop()
    assert shelf.near(3) is None
    assert shelf.store(segments(*range(sealed))) == sealed
    assert shelf.store(segments(*range(sealed))) == 0
    assert shelf.answer(filters_of_segments(STREAM, sealed)) == FILTERS[:sealed]
    assert shelf.reads == before == [1, 1]
    for number in range(sealed):
        assert shelf.near(number) == segment(number)
        assert len(shelf.reads) <= 2


def test_one_that_ends_after_all_were_dropped_is_no_obstacle() -> None:
    shelf = Shelf()
    shelf.store(segments(*range(5)))
    shelf.drop()
    shelf.store(segments(5))
    assert shelf.answer(filters_of_segments(STREAM, 6)) == FILTERS[:6]  # it has those of its volume
    assert shelf.near(2) is None
    assert shelf.store(segments(*range(6))) == 6
    assert [shelf.near(number) for number in range(6)] == segments(*range(6))


def test_a_wrong_one_in_the_midst_is_replaced_by_what_is_found() -> None:
    shelf = Shelf()
    for each in (segment(0), segment(1, count=9), segment(2)):
        shelf.add(segment_record(STREAM, each))
    assert shelf.store(segments(*range(3))) == 2
    shelf.store(segments(3))
    assert [shelf.near(number) for number in range(4)] == segments(*range(4))
    assert shelf.store(segments(*range(4))) == 0


def test_where_it_is_not_stored_under_the_fingerprint_the_last_that_says_so_is_given() -> None:
    shelf = Shelf()
    shelf.store(segments(*range(3)))
    shelf.store(segments(*range(3), rule=OTHER))
    assert shelf.near(1, NEW) == segment(1, OTHER)


def test_what_can_not_be_read_tells_no_place() -> None:
    shelf = Shelf()
    shelf.store(segments(*range(3)))
    for _ in range(3):
        shelf.add(NewEvent(type="SegmentSealed", data=b"{"))
    assert [shelf.near(number) for number in range(3)] == segments(*range(3))
    assert shelf.answer(filters_of_segments(STREAM, 3)) == FILTERS[:3]


def test_those_in_disorder_are_found_by_reading_all() -> None:
    shelf = Shelf()
    for number in (2, 0, 1):
        shelf.add(segment_record(STREAM, segment(number)))
    assert shelf.answer(filters_of_segments(STREAM, 3)) == FILTERS[:3]
    assert shelf.store(segments(*range(3))) == 0


RULES = st.sampled_from([OLD, NEW, OTHER])
STEPS = st.tuples(st.sampled_from(["grow", "retake", "drop"]), RULES)


@given(st.lists(STEPS, max_size=12))
def test_whatever_was_done_a_retake_is_enough_and_is_done_once(steps: list[tuple[str, SnapshotRule]]) -> None:
    shelf, sealed = Shelf(), 1
    for step, rule in [*steps, ("grow", OLD)]:
        if step == "drop":
            shelf.drop()
            continue
        if step == "grow":
            shelf.store(segments(sealed, rule=rule))
            sealed += 1
            continue
        shelf.store(segments(*range(sealed), rule=rule))
        assert shelf.store(segments(*range(sealed), rule=rule)) == 0
        assert [shelf.near(number, rule) for number in range(sealed)] == segments(*range(sealed), rule=rule)
        assert shelf.answer(filters_of_segments(STREAM, sealed)) == FILTERS[:sealed]
    for rule in (OLD, NEW):
        shelf.store(segments(*range(sealed), rule=rule))
    assert [shelf.near(number, OLD) for number in range(sealed)] == segments(*range(sealed))
    filters = [shelf.answer(filters_of_segments(STREAM, number)) for number in range(sealed + 1)]
    assert list(chain(*filters)) == list(chain(*(FILTERS[:number] for number in range(sealed + 1))))
