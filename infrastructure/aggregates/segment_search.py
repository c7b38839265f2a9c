"""Finds segments among the records that are stored of them, whatever was dropped, or stored again since.

No more is known here of a store than that each of these generators yields a place to read, is sent the records from
there on, and returns what it found.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from esdbclient import RecordedEvent

from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import VOLUME
from infrastructure.aggregates.segment import StoredSegment, segment_in
from infrastructure.aggregates.snapshot import Unusable

PAGE: Final = 20
"""So many records are read at once where all are looked at: each has up to 440,000 bytes and the state's."""
_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Up to `limit` visible records from position `first` on; None: the newest, alone."""

    first: int | None
    limit: int = 1


ResultT = TypeVar("ResultT")
Search: TypeAlias = Generator[Place, Sequence[RecordedEvent], ResultT]


def segments_near(stream: str, number: int, fingerprint: str) -> Search[dict[int, StoredSegment]]:
    """The last that was stored of this segment under the fingerprint, among others that were seen, by their numbers.

    Under none but another fingerprint it is given where it is not stored under this one.
    """
    found = _Found(stream, fingerprint)
    yield from found.begin()
    if not found.ends_before(number):
        yield from found.seek(number)
    return found.segments


def filters_of_segments(stream: str, sealed: int) -> Search[list[BloomFilter]]:
    """The filters of the first `sealed` segments, as far as they are stored; they are good under any fingerprint."""
    filters: list[BloomFilter] = []
    found = _Found(stream, None)
    if sealed:
        yield from found.begin()
    while len(filters) < sealed:
        number = min(len(filters) + VOLUME, sealed) - 1
        yield from found.seek(number)
        if not found.has(number):
            break
        filters += found.segments[number].commands
    return filters


def unstored(stream: str, wanted: Sequence[StoredSegment]) -> Search[list[StoredSegment]]:
    """Those of consecutive segments that are to be stored: the first that is not stored just so, and all behind it.

    So those that are stored last always stand one behind the other, up to the newest, and their places tell their
    numbers. Of a single one no more is asked than whether it is found.
    """
    good: dict[int, bool] = {}
    if len(wanted) == 1:
        found = yield from segments_near(stream, wanted[0].number, wanted[0].fingerprint)
        good = {number: segment == wanted[0] for number, segment in found.items()}
    else:
        told = {segment.number: segment for segment in wanted}

        def compare(record: RecordedEvent) -> None:
            said = _said(record, stream)
            if said is not None and said.number in told and said.fingerprint == told[said.number].fingerprint:
                good[said.number] = said == told[said.number]

        yield from _all(compare)
    first = next((place for place, segment in enumerate(wanted) if not good.get(segment.number)), len(wanted))
    return list(wanted[first:])


class _Found:
    """What was read of a stream's segments: of several of one number the last, but the fingerprint comes first."""

    def __init__(self, stream: str, fingerprint: str | None) -> None:
        self.segments: Final[dict[int, StoredSegment]] = {}
        self._stream: Final = stream
        self._fingerprint: Final = fingerprint
        self._ranks: Final[dict[int, tuple[bool, int]]] = {}
        self._newest: StoredSegment | None = None
        self._shift = 0
        self._is_complete = False

    def has(self, number: int) -> bool:
        """Whether the segment was found, under the fingerprint."""
        return number in self.segments and self._fits(self.segments[number])

    def ends_before(self, number: int) -> bool:
        """Whether the newest is the end of those that have the fingerprint, and this one would come after it."""
        newest = self._newest
        return newest is not None and newest.fingerprint == self._fingerprint and newest.number < number

    def begin(self) -> Search[None]:
        """Reads the newest."""
        records = yield Place(None)
        self._is_complete = not records
        self._newest = self._take_first(records)

    def seek(self, number: int) -> Search[None]:
        """Reads on until the segment is found: where it stands if it was stored in one go with the newest, where it
        stands if none was stored twice, and then everything.
        """
        for first in dict.fromkeys((number + self._shift, number)):
            yield from self._follow(number, first)
        if not self.has(number) and not self._is_complete:
            self._is_complete = True
            yield from _all(self._take)

    def _follow(self, number: int, place: int) -> Search[None]:
        """Each other segment tells where this one stands if both were stored in one go."""
        for _ in range(_STEPS):
            if self._is_complete or self.has(number) or place < 0:
                return
            said = self._take_first((yield Place(place)))
            if said is None or number + self._shift == place:
                return
            place = number + self._shift

    def _take_first(self, records: Iterable[RecordedEvent]) -> StoredSegment | None:
        return next((self._take(record) for record in records), None)

    def _take(self, record: RecordedEvent) -> StoredSegment | None:
        said = _said(record, self._stream)
        if said is None:
            return None
        self._shift = record.stream_position - said.number
        rank = self._fits(said), record.stream_position
        if rank > self._ranks.get(said.number, (False, -1)):
            self._ranks[said.number], self.segments[said.number] = rank, said
        return said

    def _fits(self, segment: StoredSegment) -> bool:
        return self._fingerprint in {None, segment.fingerprint}


def _all(take: Callable[[RecordedEvent], object]) -> Search[None]:
    """Every record, oldest first."""
    first = 0
    while page := (yield Place(first, PAGE)):
        for record in page:
            take(record)
        if len(page) < PAGE:
            return
        first = page[-1].stream_position + 1


def _said(record: RecordedEvent, stream: str) -> StoredSegment | None:
    try:
        return segment_in(record, stream)
    except Unusable:
        return None
