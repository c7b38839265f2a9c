"""However long a stream is, the filters of all its segments are had from a few records."""

from uuid import UUID, uuid4

from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import SEGMENT, VOLUME
from infrastructure.aggregates.segment import as_stored, segment_event
from infrastructure.aggregates.snapshot_streams import SnapshotStreams
from infrastructure.aggregates.volumes import filters_of
from infrastructure.eventstore.streams import segment_stream
from tests.eventstore.tally import Tally
from tests.snapshots.keeping import RULE, Shelf, tell

SEGMENTS = VOLUME + 3


def filter_with(member: UUID) -> BloomFilter:
    made = BloomFilter()
    made.add(member)
    return made


async def keep(shelf: Shelf, filters: list[BloomFilter], numbers: range) -> None:
    """Stores segments as they are stored when each of them ends."""
    for number in numbers:
        volume = tuple(filters[number - number % VOLUME : number + 1])
        segment = Segment(number, (number + 1) * SEGMENT - 1, Tally(), volume)
        event = segment_event(shelf.stream, as_stored(segment, uuid4(), RULE))
        await shelf.add(segment_stream(shelf.stream), event)


def test_the_filters_of_more_than_a_volume_are_read_in_order(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        filters = [filter_with(uuid4()) for _ in range(SEGMENTS)]
        await keep(shelf, filters, range(SEGMENTS))
        stored = SnapshotStreams(shelf.streams)
        for sealed in (1, VOLUME - 1, VOLUME, VOLUME + 1, SEGMENTS):
            assert await filters_of(stored, shelf.stream, sealed) == filters[:sealed]

    tell(eventstore_uri, story)


def test_what_is_not_stored_ends_them(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        filters = [filter_with(uuid4()) for _ in range(SEGMENTS)]
        await keep(shelf, filters, range(VOLUME))
        stored = SnapshotStreams(shelf.streams)
        assert await filters_of(stored, shelf.stream, SEGMENTS) == filters[:VOLUME]
        assert await filters_of(stored, f"{shelf.stream}0", SEGMENTS) == []

    tell(eventstore_uri, story)
