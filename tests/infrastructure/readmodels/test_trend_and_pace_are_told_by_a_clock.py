"""Whether a lag grows is told from two looks some seconds apart, and how fast a worker folds from ten seconds."""

import pytest

from infrastructure.readmodels.backlog import Lag
from infrastructure.readmodels.trend import Trend
from infrastructure.readmodels.worker_report import Pace
from tests.support.clock import Clock


def exact(events: int) -> Lag:
    return Lag(events, 1.0, exact=True, distance=100)


def grows(*looks: tuple[float, int, Lag | None]) -> bool:
    """What is told at the last of these times, positions and lags."""
    clock, told = Clock(), False
    trend = Trend(clock)
    for at, position, measured in looks:
        clock.now = at
        told = trend.grows(position, measured)
    return told


def estimated(events: int, distance: int) -> Lag:
    return Lag(events, 60.0, exact=False, distance=distance)


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([(0.0, 0, exact(0))], False),
        ([(0.0, 0, exact(5)), (2.0, 9, exact(6))], False),  # too close together
        ([(0.0, 0, exact(5)), (3.0, 9, exact(6))], True),
        ([(0.0, 0, exact(5)), (3.0, 9, exact(5))], False),
        ([(0.0, 9, exact(5)), (3.0, 9, exact(6))], False),  # it does not move
        ([(0.0, 0, estimated(20_000, 100)), (3.0, 9, estimated(90_000, 90))], False),
        ([(0.0, 0, estimated(90_000, 100)), (3.0, 9, estimated(20_000, 110))], True),
        ([(0.0, 0, exact(1)), (5.0, 5, exact(9)), (15.0, 9, exact(8))], False),  # of ten seconds ago
        ([(0.0, 0, exact(5)), (3.0, 9, None)], False),
    ],
)
def test_the_lag_grows_where_it_moves_and_more_is_left_than_before(
    looks: list[tuple[float, int, Lag | None]], told: bool
) -> None:
    assert grows(*looks) == told


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.took(40)
    pace.took(0)
    clock.now = 2.0
    assert (pace.rate(), pace.batch) == (20.0, 40)
    clock.now = 11.0
    assert pace.rate() == 40 / 11
    clock.now = 12.0
    assert pace.rate() == 0.0


def test_a_checkpoint_stands_still_since_it_moved_or_its_worker_began() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.still(None) == 0.0
    clock.now = 5.0
    assert [pace.still(None), pace.still(10)] == [5.0, 0.0]
    clock.now = 9.0
    assert pace.still(10) == 4.0
    pace.begin()
    assert pace.still(10) == 0.0
