"""However long a stream is, the filters of all its segments are had from a few records."""

from uuid import UUID, uuid4

from domain.stream_name import segment_stream
from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, SEGMENT
from infrastructure.aggregates.volumes import filters_of
from infrastructure.snapshots.segments import as_stored, segment_record
from infrastructure.snapshots.store import SnapshotStore
from tests.infrastructure.commands.tally import Tally
from tests.infrastructure.snapshots.tally_snapshots import RULE, Shelf, tell

SEGMENTS = FILTERS_PER_RECORD + 3


def filter_with(member: UUID) -> BloomFilter:
    made = BloomFilter()
    made.add(member)
    return made


async def keep(shelf: Shelf, filters: list[BloomFilter], numbers: range) -> None:
    """Stores segments as they are stored when each of them ends."""
    for number in numbers:
        volume = tuple(filters[number - number % FILTERS_PER_RECORD : number + 1])
        segment = Segment(number, (number + 1) * SEGMENT - 1, Tally(), volume)
        event = segment_record(shelf.stream, as_stored(segment, uuid4(), RULE))
        await shelf.add(segment_stream(shelf.stream), event)


def test_the_filters_of_more_than_a_volume_are_read_in_order(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        filters = [filter_with(uuid4()) for _ in range(SEGMENTS)]
        await keep(shelf, filters, range(SEGMENTS))
        stored = SnapshotStore(shelf.streams)
        for sealed in (1, FILTERS_PER_RECORD - 1, FILTERS_PER_RECORD, FILTERS_PER_RECORD + 1, SEGMENTS):
            assert await filters_of(stored, shelf.stream, sealed) == filters[:sealed]

    tell(eventstore_uri, story)


def test_what_is_not_stored_ends_them(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        filters = [filter_with(uuid4()) for _ in range(SEGMENTS)]
        await keep(shelf, filters, range(FILTERS_PER_RECORD))
        stored = SnapshotStore(shelf.streams)
        assert await filters_of(stored, shelf.stream, SEGMENTS) == filters[:FILTERS_PER_RECORD]
        assert await filters_of(stored, f"{shelf.stream}0", SEGMENTS) == []

    tell(eventstore_uri, story)
