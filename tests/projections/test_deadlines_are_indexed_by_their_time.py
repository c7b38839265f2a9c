"""The open deadlines of a saga's instances: found by the time at which the first of each instance passes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.deadline import Deadline
from domain.engine_events import (
    ENGINE_EVENTS,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaPaused,
    SagaResumed,
    SagaStopped,
)
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Event
from projections.row_lists import sortable_time
from projections.saga_timers import (
    SagaTimers,
    Timer,
    passed_by,
    stream_in,
    timer_projections,
    timers_of,
)
from tests.support.projection_spec import Outcome, one_by_one

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
SAGA: Final = replace(fulfilment, deadlines=lambda state: [Deadline("run", HOUR)])
PROJECTION: Final = timers_of(SAGA)
STREAM: Final = "fulfilment-1"
WORD: Final = SagaDeadlineSet(name="word", due=NOON)
RUN: Final = SagaDeadlineSet(name="run", due=NOON + HOUR)
STOPPED: Final = SagaStopped(stream="order-0", version=1, position=2, message_id="m", error="a bug")


def member(due: datetime, stream: str = STREAM) -> str:
    return f"{sortable_time(due)}{stream}"


def indexed(*events: Event) -> list[str]:
    """The members of the index after these events."""
    return list(after(*events).entries.get("due", {}))


def after(*events: Event) -> Outcome[SagaTimers]:
    return one_by_one(PROJECTION, [("1", event) for event in events])


def test_an_instance_is_indexed_by_its_first_deadline() -> None:
    row = SagaTimers(open=(Timer(STREAM, "word", NOON), Timer(STREAM, "run", NOON + HOUR)))
    assert after(WORD, RUN).rows == {"1": row}
    assert indexed(RUN) == [member(NOON + HOUR)]
    assert indexed(RUN, WORD) == indexed(WORD, RUN) == [member(NOON)]
    assert stream_in(member(NOON)) == STREAM


def test_one_that_ended_or_passed_is_followed_by_the_next() -> None:
    for over in (SagaDeadlineEnded(name="word"), SagaDeadlinePassed(name="word", due=NOON)):
        assert indexed(WORD, RUN, over) == [member(NOON + HOUR)]


def test_one_that_begins_anew_is_indexed_by_its_new_time() -> None:
    again = SagaDeadlineSet(name="word", due=NOON + HOUR)
    assert indexed(WORD, SagaDeadlinePassed(name="word", due=NOON), again) == [member(NOON + HOUR)]


def test_without_an_open_deadline_there_is_no_row() -> None:
    ended = SagaDeadlineEnded(name="word")
    assert [after(*events).rows for events in ((), (STOPPED,), (ended,), (WORD, ended))] == [{}] * 4
    assert indexed(WORD, ended) == []


def test_one_that_stands_still_is_indexed_once_it_goes_on() -> None:
    for still in (STOPPED, SagaPaused(why="to look at it")):
        assert indexed(WORD, still) == []
        assert indexed(WORD, still, SagaResumed(why="mended")) == [member(NOON)]


def test_what_has_passed_by_a_time_is_a_part_of_the_index() -> None:
    passed = passed_by(NOON)
    microsecond = timedelta(microseconds=1)
    assert [passed.has("due", member(NOON + by)) for by in (-HOUR, timedelta(), microsecond)] == [True, True, False]


def test_it_says_of_every_event_of_the_stream_what_it_does_with_it() -> None:
    assert PROJECTION.handlers.keys() | PROJECTION.ignored == {*SAGA.events, *ENGINE_EVENTS}
    assert PROJECTION.handlers.keys() & PROJECTION.ignored == set()


def test_a_saga_without_deadlines_has_no_such_read_model() -> None:
    assert [each.name for each in timer_projections([fulfilment, SAGA])] == ["fulfilment_timers"]
