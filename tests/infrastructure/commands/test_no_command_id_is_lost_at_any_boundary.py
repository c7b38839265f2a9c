"""Whatever commands leave in a stream, and wherever snapshots are taken, their ids are known with their places."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.stream_name import snapshot_stream
from infrastructure.aggregates.aggregate import Aggregate, Segment, Snapshot
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import FILTERS_PER_RECORD, RECENT, SEGMENT, CommandIds
from infrastructure.snapshots.record import snapshot_in, snapshot_record
from tests.infrastructure.commands.tally import Counted, Tally
from tests.infrastructure.snapshots.tally_snapshots import RULE, recorded

STREAM = "tally-0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"
IDS = UUID(int=0)
EVENT = Counted(by=Decimal(1))
AT_MOST = 3 * SEGMENT


class Life:
    """An aggregate that is restored from its snapshots again and again; `places` are its commands' versions."""

    def __init__(self, sealed: int) -> None:
        """After so many segments of which nothing matters."""
        self.places: dict[UUID, range] = {}
        self.stored: dict[int, Segment] = {}
        self.aggregate = empty()
        if sealed:
            filters = [BloomFilter() for _ in range(sealed)]
            self._store(Segment(number, 0, None, tuple(filters[volume_of(number)])) for number in range(sealed))
            known = CommandIds({}, filters, BloomFilter())
            self.aggregate.restore(Snapshot(STREAM, sealed * SEGMENT, 0, IDS, Tally(), known))

    def command(self, events: int) -> None:
        """One that leaves so many events."""
        first = self.aggregate.version + 1
        own_id = uuid5(IDS, str(first))
        self.aggregate.append([EVENT] * events, own_id, own_id, 0)
        self.places[own_id] = range(first, first + events)
        self._store(self.aggregate.unsaved)

    def commands(self, number: int) -> None:
        """So many, of one event each."""
        for _ in range(number):
            self.command(1)

    def command_to_boundary(self, beyond: int) -> None:
        """One whose last event is the last of a segment, or so many versions beyond it."""
        missing = SEGMENT - 1 - self.aggregate.version % SEGMENT
        self.command(max(1, missing + beyond))

    def restart(self, _: int) -> None:
        """Goes on from a snapshot that was stored."""
        before = self.aggregate
        if before.last_id is None:
            return
        record = recorded(snapshot_record(before.snapshot(), RULE), snapshot_stream(STREAM))
        said = snapshot_in(record, STREAM, RULE)
        self.aggregate = empty()
        self.aggregate.restore(said.restored(RULE, before.position, list(self._filters(said.commands.sealed))))
        assert told(self.aggregate.commands) == told(before.commands)

    def _store(self, segments: Iterable[Segment]) -> None:
        for segment in segments:
            assert len(segment.commands) == segment.number % FILTERS_PER_RECORD + 1
            self.stored[segment.number] = segment

    def _filters(self, sealed: int) -> Iterator[BloomFilter]:
        for first in range(0, sealed, FILTERS_PER_RECORD):
            yield from self.stored[min(first + FILTERS_PER_RECORD, sealed) - 1].commands


def empty() -> Aggregate[Tally]:
    return Aggregate(STREAM, Tally(), lambda tally, _: tally)


def volume_of(number: int) -> slice:
    return slice(number - number % FILTERS_PER_RECORD, number + 1)


def told(known: CommandIds) -> tuple[object, ...]:
    """All that is known, in order."""
    return list(known.recent.items()), known.sealed, known.unsealed


STEPS = st.one_of(
    st.tuples(st.just(Life.commands), st.sampled_from((1, 2, RECENT - 1, RECENT, RECENT + 1))),
    st.tuples(st.just(Life.command), st.sampled_from((2, 3, SEGMENT - 1, SEGMENT, SEGMENT + 1))),
    st.tuples(st.just(Life.command_to_boundary), st.integers(-3, 3)),
    st.tuples(st.just(Life.restart), st.just(0)),
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from((0, 1, FILTERS_PER_RECORD - 1, FILTERS_PER_RECORD)), st.lists(STEPS, min_size=3, max_size=14))
def test_every_id_is_known_at_all_of_its_places(
    sealed: int, steps: list[tuple[Callable[[Life, int], None], int]]
) -> None:
    life = Life(sealed)
    end = life.aggregate.version + AT_MOST
    for step, number in steps:
        if life.aggregate.version < end:
            step(life, number)
    known, version = life.aggregate.commands, life.aggregate.version
    assert len(known.recent) == min(len(life.places), RECENT)
    assert len(known.sealed) == max(version, 0) // SEGMENT
    for command_id, versions in life.places.items():
        found = known.places(command_id, version)
        assert all(any(each in place for place in found) for each in (versions[0], versions[-1]))
        assert len(versions) <= sum(map(len, found))
