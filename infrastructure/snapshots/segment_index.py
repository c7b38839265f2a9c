"""Finds segments in their stream in few reads, though some were dropped or stored again.

The store is reached only through a function that reads a place, so that event loops and threads share one search.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD
from infrastructure.eventstore.record import Record
from infrastructure.snapshots.rule import Unusable
from infrastructure.snapshots.segments import StoredSegment, segment_in

ResultT = TypeVar("ResultT")
PAGE: Final = 20
"""Records per read where all are read; each has up to 440,000 bytes and its state."""
_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Up to `limit` visible records from version `first` on; None: only the newest."""

    first: int | None
    limit: int = 1


Read: TypeAlias = Callable[[Place], Awaitable[Sequence[Record]]]


def completed(search: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of a search whose reads do not await anything: for threads, which have no event loop."""
    try:
        search.send(None)
    except StopIteration as end:
        result: ResultT = end.value
        return result
    search.close()
    raise RuntimeError("a read awaited something")


async def segments_near(read: Read, stream: str, number: int, fingerprint: str) -> dict[int, StoredSegment]:
    """The newest record of this segment, among others that were read on the way, by their numbers.

    One with the fingerprint is preferred; one with another is returned where there is none.
    """
    found = _Found(read, stream, fingerprint)
    await found.begin()
    if not found.ends_before(number):
        await found.seek(number)
    return found.segments


async def filters_of_segments(read: Read, stream: str, sealed: int) -> list[BloomFilter]:
    """The filters of the first `sealed` segments, up to the first that is not stored; they fit any fingerprint."""
    filters: list[BloomFilter] = []
    found = _Found(read, stream, None)
    if sealed:
        await found.begin()
    while len(filters) < sealed:
        number = min(len(filters) + FILTERS_PER_RECORD, sealed) - 1
        await found.seek(number)
        if not found.has(number):
            break
        filters += found.segments[number].commands
    return filters


async def unstored_segments(read: Read, stream: str, wanted: Sequence[StoredSegment]) -> list[StoredSegment]:
    """Of consecutive segments, the first that is not stored with the same content, and all after it.

    Storing these keeps the newest records in the order of the segments, so that a segment's version follows from its
    number. A single segment is only searched for; for several, all records are read.
    """
    if len(wanted) == 1:
        found = await segments_near(read, stream, wanted[0].number, wanted[0].fingerprint)
        good = {number: segment == wanted[0] for number, segment in found.items()}
    else:
        good = await _stored_with_same_content(read, stream, {segment.number: segment for segment in wanted})
    first = next((place for place, segment in enumerate(wanted) if not good.get(segment.number)), len(wanted))
    return list(wanted[first:])


async def _stored_with_same_content(read: Read, stream: str, wanted: Mapping[int, StoredSegment]) -> dict[int, bool]:
    """By number, whether the newest record of the segment under its fingerprint has the same content."""
    good: dict[int, bool] = {}

    def compare(record: Record) -> None:
        stored = _segment_in(record, stream)
        same = None if stored is None else wanted.get(stored.number)
        if stored is not None and same is not None and stored.fingerprint == same.fingerprint:
            good[stored.number] = stored == same

    await _all(read, compare)
    return good


class _Found:
    """The segments that were read: of several of one number the newest, those with the fingerprint first."""

    def __init__(self, read: Read, stream: str, fingerprint: str | None) -> None:
        self.segments: Final[dict[int, StoredSegment]] = {}
        self._read: Final = read
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
        """Whether the newest has the fingerprint and comes before this one, which is not stored then."""
        newest = self._newest
        return newest is not None and newest.fingerprint == self._fingerprint and newest.number < number

    async def begin(self) -> None:
        """Reads the newest."""
        records = await self._read(Place(None))
        self._is_complete = not records
        self._newest = self._take_first(records)

    async def seek(self, number: int) -> None:
        """Reads until the segment is found: first where it is if it was stored together with the newest, then where it
        is if no segment was stored twice, and then all records.
        """
        for first in dict.fromkeys((number + self._shift, number)):
            await self._follow(number, first)
        if not self.has(number) and not self._is_complete:
            self._is_complete = True
            await _all(self._read, self._take)

    async def _follow(self, number: int, place: int) -> None:
        """Each segment that is read tells where this one is, if both were stored together."""
        for _ in range(_STEPS):
            if self._is_complete or self.has(number) or place < 0:
                return
            stored = self._take_first(await self._read(Place(place)))
            if stored is None or number + self._shift == place:
                return
            place = number + self._shift

    def _take_first(self, records: Iterable[Record]) -> StoredSegment | None:
        return next((self._take(record) for record in records), None)

    def _take(self, record: Record) -> StoredSegment | None:
        stored = _segment_in(record, self._stream)
        if stored is None:
            return None
        self._shift = record.version - stored.number
        rank = self._fits(stored), record.version
        if rank > self._ranks.get(stored.number, (False, -1)):
            self._ranks[stored.number], self.segments[stored.number] = rank, stored
        return stored

    def _fits(self, segment: StoredSegment) -> bool:
        return self._fingerprint in {None, segment.fingerprint}


async def _all(read: Read, take: Callable[[Record], object]) -> None:
    """Reads every record, oldest first."""
    first = 0
    while page := await read(Place(first, PAGE)):
        for record in page:
            take(record)
        if len(page) < PAGE:
            return
        first = page[-1].version + 1


def _segment_in(record: Record, stream: str) -> StoredSegment | None:
    try:
        return segment_in(record, stream)
    except Unusable:
        return None
