"""However long a stream is, the filters of all its segments are read from a few records."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from domain.stream_name import segment_stream
from infrastructure.aggregates.aggregate import Segment
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, SEGMENT
from infrastructure.eventstore.record import Record
from infrastructure.snapshots.segment_index import Place, filters_of_segments
from infrastructure.snapshots.segments import as_stored, segment_record
from infrastructure.snapshots.store import SnapshotStore
from tests.infrastructure.commands.tally import Tally
from tests.infrastructure.snapshots.tally_snapshots import RULE, TallySnapshots, tell

SEGMENTS = FILTERS_PER_RECORD + 3


def filter_with(member: UUID) -> BloomFilter:
    made = BloomFilter()
    made.add(member)
    return made


async def keep(tally: TallySnapshots, filters: list[BloomFilter], numbers: range) -> None:
    """Stores segments, each as it is stored when it ends."""
    for number in numbers:
        own = tuple(filters[number - number % FILTERS_PER_RECORD : number + 1])
        segment = Segment(number, (number + 1) * SEGMENT - 1, Tally(), own)
        record = segment_record(tally.stream, as_stored(segment, uuid4(), RULE))
        await tally.add(segment_stream(tally.stream), record)


async def filters_of(tally: TallySnapshots, stream: str, sealed: int) -> tuple[list[BloomFilter], int]:
    """The filters, and how many reads they took."""
    stored, reads = SnapshotStore(tally.streams).segments(stream), list[Place]()

    async def read(place: Place) -> Sequence[Record]:
        reads.append(place)
        return await stored(place)

    return await filters_of_segments(read, stream, sealed), len(reads)


def test_the_filters_of_more_than_one_record_are_read_in_order(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        filters = [filter_with(uuid4()) for _ in range(SEGMENTS)]
        await keep(tally, filters, range(SEGMENTS))
        for sealed in (1, FILTERS_PER_RECORD - 1, FILTERS_PER_RECORD):
            assert await filters_of(tally, tally.stream, sealed) == (filters[:sealed], 2)
        assert await filters_of(tally, tally.stream, FILTERS_PER_RECORD + 1) == (filters[: FILTERS_PER_RECORD + 1], 3)
        assert await filters_of(tally, tally.stream, SEGMENTS) == (filters, 2)  # the newest has the last of them

    tell(eventstore_uri, story)


def test_they_end_at_the_first_that_is_not_stored(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        filters = [filter_with(uuid4()) for _ in range(SEGMENTS)]
        await keep(tally, filters, range(FILTERS_PER_RECORD))
        found, _ = await filters_of(tally, tally.stream, SEGMENTS)
        assert found == filters[:FILTERS_PER_RECORD]
        assert await filters_of(tally, f"{tally.stream}0", SEGMENTS) == ([], 1)

    tell(eventstore_uri, story)
