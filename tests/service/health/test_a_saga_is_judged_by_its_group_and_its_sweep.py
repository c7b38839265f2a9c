"""What readiness says of a saga, by its group, its sweep, how long both have stood still, and its instances."""

from dataclasses import replace

import pytest

from infrastructure.eventstore.group_state import GroupState
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint
from service.health.checks import Check, of_saga
from service.health.saga_figures import SagaFigures
from service.health.saga_state import SagaHistory, SagaState
from tests.support.clock import Clock

ALONE = Check(ok=False, state="stopped", detail="has no worker")
BUSY = GroupState(consumers=2, is_live=True, waiting=9, parked=0, acknowledged="C:7/P:7")
SWEPT = SweepCheckpoint(7)


def judged(*looks: tuple[float, GroupState | None, SweepCheckpoint]) -> Check:
    """The check after looks at these times."""
    clock = Clock()
    history = SagaHistory(clock)
    state = SagaState(None)
    for seconds, group, sweep in looks:
        clock.now = seconds
        state = history.state(group, sweep)
    return of_saga(state)


def stuck(detail: str) -> Check:
    return Check(ok=False, state="stuck", detail=detail)


@pytest.mark.parametrize(
    ("group", "check"),
    [
        (None, ALONE),
        (replace(BUSY, consumers=0, parked=1), ALONE),
        (replace(BUSY, parked=1), Check(ok=False, state="blocked", detail="1 of its messages are parked")),
        (
            replace(BUSY, is_live=False),
            Check(ok=False, state="behind", detail="is catching up, 9 messages wait"),
        ),
        (BUSY, Check(ok=True)),
    ],
)
def test_a_saga_is_as_its_group_is(group: GroupState | None, check: Check) -> None:
    assert judged((0, group, SWEPT)) == check


@pytest.mark.parametrize(
    ("stopped", "detail"),
    [
        (("fulfilment-1",), "1 of its instances has stopped, first fulfilment-1"),
        (("fulfilment-2", "fulfilment-1"), "2 of its instances have stopped, first fulfilment-2"),
    ],
)
def test_a_saga_with_instances_that_have_stopped_is_stuck(stopped: tuple[str, ...], detail: str) -> None:
    found = SagaHistory(Clock()).state(BUSY, SWEPT, stopped)
    assert of_saga(found) == stuck(detail)


FIGURES = SagaFigures({"running": 9, "completed": 5, "compensated": 0, "failed": 0, "paused": 0}, stuck_seconds=900)


@pytest.mark.parametrize(
    ("figures", "check"),
    [
        (None, Check(ok=True)),
        (FIGURES, Check(ok=True)),
        (
            replace(FIGURES, stuck=2, longest_stuck="fulfilment-1", overdue=1),
            stuck("2 of its instances run, and nothing has happened to them for 900 s, first fulfilment-1"),
        ),
        (
            replace(FIGURES, overdue=3, by_status={**FIGURES.by_status, "paused": 1}),
            stuck("3 of its instances have a deadline that passed more than a minute ago"),
        ),
        (
            replace(FIGURES, by_status={**FIGURES.by_status, "paused": 1}),
            Check(ok=False, state="paused", detail="1 of its instances is paused"),
        ),
        (
            replace(FIGURES, by_status={**FIGURES.by_status, "paused": 2}),
            Check(ok=False, state="paused", detail="2 of its instances are paused"),
        ),
    ],
)
def test_a_saga_is_as_its_instances_fare(figures: SagaFigures | None, check: Check) -> None:
    assert of_saga(SagaHistory(Clock()).state(BUSY, SWEPT, (), figures)) == check


def test_a_sweep_that_has_halted_is_stuck_also_where_messages_are_parked() -> None:
    halted = SweepCheckpoint(7, tuple(range(100)))
    assert judged((0, replace(BUSY, parked=100), halted)) == stuck("its sweep of the log has halted: 100 messages fail")
    assert judged((0, BUSY, SweepCheckpoint(7, tuple(range(99))))) == Check(ok=True)


def test_nothing_acknowledged_for_a_minute_while_messages_wait_is_stuck() -> None:
    assert judged((0, BUSY, SWEPT), (59, BUSY, SWEPT)) == Check(ok=True)
    assert judged((0, BUSY, SWEPT), (60, BUSY, SWEPT)) == stuck("nothing was acknowledged for 60 s, 9 messages wait")


@pytest.mark.parametrize("moved", [replace(BUSY, acknowledged="C:8/P:8"), replace(BUSY, waiting=0)])
def test_who_moves_or_has_nothing_to_do_is_not_stuck(moved: GroupState) -> None:
    assert judged((0, BUSY, SWEPT), (30, moved, SWEPT), (60, BUSY, SWEPT)) == Check(ok=True)


def test_workers_that_end_again_and_again_at_one_message_are_stuck_and_not_stopped() -> None:
    nobody = replace(BUSY, consumers=0)
    assert judged((0, BUSY, SWEPT), (40, BUSY, SWEPT), (69, nobody, SWEPT)) == stuck(
        "nothing was acknowledged for 69 s, 9 messages wait"
    )
    assert judged((0, BUSY, SWEPT), (40, BUSY, SWEPT), (70, nobody, SWEPT)) == ALONE


def test_a_message_that_fails_in_one_sweep_after_the_other_is_stuck() -> None:
    idle, failing = replace(BUSY, waiting=0), SweepCheckpoint(7, (3, 5))
    assert judged((0, idle, failing), (659, idle, failing)) == Check(ok=True)
    assert judged((0, idle, failing), (660, idle, failing)) == stuck("2 messages fail in every sweep of the log")
    assert judged((0, idle, failing), (600, idle, SWEPT), (660, idle, failing)) == Check(ok=True)


def test_time_without_a_store_counts_for_nothing() -> None:
    clock = Clock()
    history = SagaHistory(clock)
    history.state(BUSY, SWEPT)
    clock.now = 100.0
    history.missed()
    assert of_saga(history.state(BUSY, SWEPT)) == Check(ok=True)
