"""Finds what was stored of a long stream's segments in few reads: their filters are kept in volumes."""

from collections.abc import Sequence
from typing import TypeVar

from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.segment import StoredSegment
from infrastructure.aggregates.segment_search import Search, filters_of_segments, unstored
from infrastructure.aggregates.snapshot_streams import SnapshotStreams

ResultT = TypeVar("ResultT")


async def filters_of(stored: SnapshotStreams, stream: str, sealed: int) -> list[BloomFilter]:
    """The filters of the first `sealed` segments of a stream, as far as they are stored. Raises what reading raises."""
    return await _found(stored, stream, filters_of_segments(stream, sealed))


async def to_store(stored: SnapshotStreams, stream: str, wanted: Sequence[StoredSegment]) -> list[StoredSegment]:
    """Those of consecutive segments that are not stored just so, and what comes after. Raises what reading raises."""
    return await _found(stored, stream, unstored(stream, wanted))


async def _found(stored: SnapshotStreams, stream: str, search: Search[ResultT]) -> ResultT:
    try:
        place = next(search)
        while True:
            place = search.send(await stored.segments(stream, place.first, place.limit))
    except StopIteration as end:
        result: ResultT = end.value
        return result
