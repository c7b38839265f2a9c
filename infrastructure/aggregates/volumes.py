"""Finds what was stored of a long stream's segments in few reads: their filters are kept in volumes."""

from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import VOLUME
from infrastructure.aggregates.segment import StoredSegment, segments_in
from infrastructure.aggregates.snapshot_streams import SnapshotStreams


async def filters_of(stored: SnapshotStreams, stream: str, sealed: int) -> list[BloomFilter]:
    """The filters of the first `sealed` segments of a stream, as far as they are stored. Raises what reading raises."""
    filters: list[BloomFilter] = []
    while len(filters) < sealed:
        volume = await segment_of(stored, stream, min(len(filters) + VOLUME, sealed) - 1)
        if volume is None:
            break
        filters += volume.commands
    return filters


async def segment_of(stored: SnapshotStreams, stream: str, number: int) -> StoredSegment | None:
    """A segment; where another stands in its place, the last of those that say so. Raises what reading raises."""
    record = await stored.segment(stream, number)
    if record is None:
        return None
    found = segments_in([record], stream)
    if number not in found:
        found = segments_in(await stored.segments(stream), stream)
    return found.get(number)
