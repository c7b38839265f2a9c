"""Finds segments among the records that are stored of them, whatever was dropped, or stored again since.

No more is known here of a store than a function that reads a place, so that event loops and threads search alike.
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
"""So many records are read at once where all are looked at: each has up to 440,000 bytes and the state's."""
_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Up to `limit` visible records from position `first` on; None: the newest, alone."""

    first: int | None
    limit: int = 1


Read: TypeAlias = Callable[[Place], Awaitable[Sequence[Record]]]


def completed(search: Coroutine[Any, Any, ResultT]) -> ResultT:
    """What a search finds whose reads do not wait: for threads, which have no event loop."""
    try:
        search.send(None)
    except StopIteration as end:
        result: ResultT = end.value
        return result
    search.close()
    raise RuntimeError("a read waited for an event loop")


async def segments_near(read: Read, stream: str, number: int, fingerprint: str) -> dict[int, StoredSegment]:
    """The last that was stored of this segment under the fingerprint, among others that were seen, by their numbers.

    Under none but another fingerprint it is given where it is not stored under this one.
    """
    found = _Found(read, stream, fingerprint)
    await found.begin()
    if not found.ends_before(number):
        await found.seek(number)
    return found.segments


async def filters_of_segments(read: Read, stream: str, sealed: int) -> list[BloomFilter]:
    """The filters of the first `sealed` segments, as far as they are stored; they are good under any fingerprint."""
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
    """Those of consecutive segments that are to be stored: the first that is not stored just so, and all behind it.

    So those that are stored last always stand one behind the other, up to the newest, and their places tell their
    numbers. Of a single one no more is asked than whether it is found.
    """
    if len(wanted) == 1:
        found = await segments_near(read, stream, wanted[0].number, wanted[0].fingerprint)
        good = {number: segment == wanted[0] for number, segment in found.items()}
    else:
        good = await _stored_just_so(read, stream, {segment.number: segment for segment in wanted})
    first = next((place for place, segment in enumerate(wanted) if not good.get(segment.number)), len(wanted))
    return list(wanted[first:])


async def _stored_just_so(read: Read, stream: str, wanted: Mapping[int, StoredSegment]) -> dict[int, bool]:
    """By number, whether the last that was stored of it under its fingerprint is the same."""
    good: dict[int, bool] = {}

    def compare(record: Record) -> None:
        stored = _segment_in(record, stream)
        same = None if stored is None else wanted.get(stored.number)
        if stored is not None and same is not None and stored.fingerprint == same.fingerprint:
            good[stored.number] = stored == same

    await _all(read, compare)
    return good


class _Found:
    """What was read of a stream's segments: of several of one number the last, but the fingerprint comes first."""

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
        """Whether the newest is the end of those that have the fingerprint, and this one would come after it."""
        newest = self._newest
        return newest is not None and newest.fingerprint == self._fingerprint and newest.number < number

    async def begin(self) -> None:
        """Reads the newest."""
        records = await self._read(Place(None))
        self._is_complete = not records
        self._newest = self._take_first(records)

    async def seek(self, number: int) -> None:
        """Reads on until the segment is found: where it stands if it was stored in one go with the newest, where it
        stands if none was stored twice, and then everything.
        """
        for first in dict.fromkeys((number + self._shift, number)):
            await self._follow(number, first)
        if not self.has(number) and not self._is_complete:
            self._is_complete = True
            await _all(self._read, self._take)

    async def _follow(self, number: int, place: int) -> None:
        """Each other segment tells where this one stands if both were stored in one go."""
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
    """Every record, oldest first."""
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
