"""How far a projection lags: the events of its own streams that are not folded, and the age of the oldest of them."""

import asyncio
from collections.abc import Iterator

import pytest

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.readmodels.backlog import MOST_COUNTED, Backlog, Lag, total
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.health import PartitionHealth, ProjectionHealth
from infrastructure.readmodels.lag_meter import LagMeter, ProjectionLag
from infrastructure.readmodels.queries import ReadModels
from tests.infrastructure.eventstore.silent_store import RefusingStore, running
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, raises, tallies
from tests.support.clock import Clock

EVEN, ODD = "0000000a", "0000000b"
NONE = (0, True)


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        yield logbook


def at(*positions: int | None, generation: int = 1) -> ProjectionHealth:
    """A live generation whose partitions are folded up to there."""
    partitions = [
        PartitionHealth(number, Checkpoint("store", position), None) for number, position in enumerate(positions)
    ]
    return ProjectionHealth(generation, None, tuple(partitions))


def looks(
    deployed: Deployment, category: str, *healths: ProjectionHealth, at_once: int = 100, wall: float | None = None
) -> list[ProjectionLag]:
    """What a meter finds of `tallies` in one look after the other."""

    async def question(models: ReadModels) -> list[ProjectionLag]:
        meter = LagMeter(models.log, at_once) if wall is None else LagMeter(models.log, at_once, wall=lambda: wall)
        projection = tallies(category)
        return [
            (await meter.measure({"tallies": (projection, each)}, await models.log.end(), 5.0))["tallies"]
            for each in healths
        ]

    return Reader(deployed).ask(question)


def counted(lag: Lag | None) -> tuple[int, bool] | None:
    return None if lag is None else (lag.events, lag.exact)


def test_events_of_others_are_no_lag(log: Logbook, deployed: Deployment, category: str) -> None:
    last = log.write(EVEN, Opened(owner="ann"), Raised(by=1))
    log.elsewhere(20)
    [found] = looks(deployed, category, at(last))
    assert found.total is not None
    assert (counted(found.total), found.total.seconds) == (NONE, 0.0)
    assert found.total.distance > 0


def test_each_event_of_its_own_counts_from_the_time_at_which_it_was_written(
    log: Logbook, deployed: Deployment, category: str
) -> None:
    first = log.write(EVEN, Opened(owner="ann"))
    log.write(EVEN, Raised(by=1), Raised(by=2))
    with open_reader(deployed.eventstore_uri) as reader:
        times = [record.at for record in reader.records(category_pattern([category]))]
    assert times[1] is not None
    found = looks(deployed, category, at(None), at(first), wall=times[1].timestamp() + 12.0)
    assert [counted(each.total) for each in found] == [(3, True), (2, True)]
    assert found[1].total is not None
    assert found[1].total.seconds == 12.0


def test_each_partition_has_its_own_wherever_it_is(log: Logbook, deployed: Deployment, category: str) -> None:
    first = log.write(EVEN, Opened(owner="ann"))
    log.write(ODD, Opened(owner="ann"), Raised(by=1))
    last = log.write(EVEN, Raised(by=1))
    apart, together = looks(deployed, category, at(first, None), at(last, last))
    assert [counted(each) for each in apart.partitions] == [(1, True), (2, True)]
    assert counted(apart.total) == (3, True)
    assert [counted(each) for each in together.partitions] == [NONE, NONE]


def test_a_look_reads_a_bounded_part_and_the_next_goes_on_from_there(
    log: Logbook, deployed: Deployment, category: str
) -> None:
    first = log.write(EVEN, Opened(owner="ann"))
    log.write(EVEN, *(Raised(by=number) for number in range(5)))
    found = [counted(each.total) for each in looks(deployed, category, *[at(first)] * 3, at_once=2)]
    assert [each and each[1] for each in found] == [False, False, True]
    assert found[2] == (5, True)


def test_projections_of_a_category_share_what_is_read(log: Logbook, deployed: Deployment, category: str) -> None:
    first = log.write(EVEN, Opened(owner="ann"))
    log.write(ODD, Opened(owner="ann"), Raised(by=1))

    async def question(models: ReadModels) -> dict[str, ProjectionLag]:
        whole, divided = (tallies(category), at(first)), (raises(category), at(first, first))
        end = await models.log.end()
        return await LagMeter(models.log, 100).measure({"tallies": whole, "raises": divided}, end, 5.0)

    found = Reader(deployed).ask(question)
    assert {name: counted(each.total) for name, each in found.items()} == {"tallies": (2, True), "raises": (2, True)}
    assert [counted(each) for each in found["raises"].partitions] == [NONE, (2, True)]


def test_what_is_built_beside_the_live_one_lags_by_itself(log: Logbook, deployed: Deployment, category: str) -> None:
    last = log.write(EVEN, Opened(owner="ann"), Raised(by=1))
    live, building = at(last), at(None, generation=2)
    both = ProjectionHealth(1, 2, live.partitions, building.partitions)
    [found] = looks(deployed, category, both)
    assert (counted(found.total), counted(found.building)) == (NONE, (2, True))


def test_a_read_that_told_nothing_is_tried_again_after_ten_times_as_long(category: str) -> None:
    clock, store = Clock(), RefusingStore()

    async def calls(meter: LagMeter, seconds: float) -> int:
        """How many the next look makes, so many seconds later."""
        clock.now += seconds
        before = len(store.seen)
        [found] = (await meter.measure({"tallies": (tallies(category), at(0))}, 100, 2.0)).values()
        assert found.total is None
        return len(store.seen) - before

    async def question(uri: str) -> list[int]:
        client = await command_client(uri)
        try:
            meter = LagMeter(Log(client), 100, clock=clock)
            return [await calls(meter, seconds) for seconds in (0.0, 19.0, 2.0)]
        finally:
            await client.close()

    with running(store) as uri:
        first, second, third = asyncio.run(question(uri))
    assert (first > 0, second, third > 0) == (True, 0, True)


def filled(events: int, until: int) -> Backlog:
    """One of a partition that begins at 0, with an event every ten positions, that was read up to there."""
    backlog = Backlog()
    backlog.move(0, end=until)
    backlog.add([(10 * number, float(number)) for number in range(1, events + 1)], until)
    return backlog


def test_beyond_ten_thousand_the_number_is_estimated_from_their_share_of_the_log() -> None:
    backlog = filled(MOST_COUNTED + 5, until=2_000_000)
    assert backlog.lag(end=1_000_000, now=61.0) == Lag(100_000, 60.0, exact=False, distance=1_000_000)
    assert not backlog.wants(end=1_000_000)


def test_ten_thousand_are_counted() -> None:
    backlog = filled(MOST_COUNTED - 1, until=100_000)
    assert backlog.lag(end=100_000, now=1.0) == Lag(9_999, 0.0, exact=True, distance=100_000)
    assert not backlog.wants(end=100_000)
    assert backlog.wants(end=100_001)


def test_what_is_folded_is_counted_no_more() -> None:
    backlog = filled(5, until=70)
    backlog.move(30, end=70)
    assert backlog.lag(end=70, now=10.0) == Lag(2, 6.0, exact=True, distance=40)
    backlog.move(200, end=210)
    assert (backlog.start, backlog.lag(end=210, now=10.0)) == (200, None)


@pytest.mark.parametrize(("checkpoint", "end"), [(20, 70), (30, 60)])
def test_after_either_server_went_back_to_an_older_copy_all_is_read_anew(checkpoint: int, end: int) -> None:
    backlog = filled(5, until=70)
    backlog.move(30, end=70)
    backlog.move(checkpoint, end=end)
    assert (backlog.start, backlog.lag(end, now=0.0)) == (checkpoint, None)


def test_partitions_of_which_nothing_is_known_make_the_sum_an_estimate() -> None:
    known = Lag(3, 5.0, exact=True, distance=10)
    assert total([known, Lag(1, 7.0, exact=True, distance=20)]) == Lag(4, 7.0, exact=True, distance=30)
    assert total([known, None]) == Lag(3, 5.0, exact=False, distance=10)
    assert total([None]) is None
