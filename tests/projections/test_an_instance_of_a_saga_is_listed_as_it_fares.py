"""The read model of a saga's instances: what each is at and since when; why it ended, or why it stands still."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Never

import pytest

from domain.engine_events import (
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMarked,
    SagaMessageAttempted,
    SagaMessageTaken,
    SagaMigrated,
    SagaPaused,
    SagaResumed,
    SagaStopped,
    SagaVersionSet,
)
from domain.fulfilment.events import (
    FulfilmentAbandoned,
    FulfilmentCompleted,
    FulfilmentEvent,
    FulfilmentStarted,
    GoodsMissing,
    GoodsSecured,
    Reservation,
)
from domain.fulfilment.saga import saga
from domain.fulfilment.state import Fulfilment, NotStarted
from domain.message import Event
from domain.saga import Saga
from domain.saga_end import Ending
from infrastructure.snapshots.state import dump_state, load_state
from projections.projection import Projection
from projections.row_lists import sortable_time
from projections.saga_instance import Halt, SagaInstance, StateForm
from projections.saga_status import SagaStatuses, idle_since, listed_in, overdue_since, status_of, stream_in
from service.consumers import SAGA_STATUS
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.log import at
from tests.support.projection_spec import Members, SpecOf, one_by_one

fulfilment: Final = saga.versions[1]
[PROJECTION] = [each for each in SAGA_STATUS if each.category == "fulfilment"]
FORM: Final = StateForm(dump_state, partial(load_state, kinds={"NotStarted": NotStarted, "Fulfilment": Fulfilment}))
STREAM: Final = f"fulfilment-{ORDER}"
STARTED: Final = FulfilmentStarted(
    order_id=ORDER,
    account_id=ACCOUNT,
    total=money("9.00"),
    reservations=(Reservation("desk", 1), Reservation("lamp", 2)),
)
DESK: Final = GoodsSecured(order_id=ORDER, sku="desk")
MISSING: Final = GoodsMissing(order_id=ORDER, sku="lamp")
COMPLETED: Final = FulfilmentCompleted(order_id=ORDER)
ABANDONED: Final = FulfilmentAbandoned(order_id=ORDER, reason="out-of-stock")
STOPPED: Final = SagaStopped(stream="order-0", version=1, position=2, message_id="m", error="a bug")
PAUSED: Final = SagaPaused(why="the carrier is on strike")
RESUMED: Final = SagaResumed(why="mended")
ATTEMPTED: Final = SagaMessageAttempted(stream="order-0", version=1, position=2, message_id="m")
TAKEN: Final = SagaMessageTaken(message_id="m")


def instance(*facts: FulfilmentEvent, version: int | None = None, **members: Any) -> SagaInstance:
    """After these facts and, with `version`, something noted: running, if nothing else is said."""
    state, number = fulfilment.state_after(fulfilment.initial, facts), len(facts) - 1
    given: dict[str, Any] = {
        "code_version": 1,
        "started_at": at(0),
        "updated_at": at(number if version is None else version),
        "step": next((ask.step for ask in fulfilment.pending(state)), None),
        "deadlines": {},
        "end": None,
        "end_reason": None,
        "halt": None,
        "has_begun": True,
        "state": dump_state(state),
    }
    told = {"stream": STREAM, "id": ORDER, "version": number if version is None else version}
    return SagaInstance(**{**told, **given, **members})


def after(*events: Event, projection: Projection[SagaStatuses] = PROJECTION) -> SagaInstance | None:
    row = one_by_one(projection, [(ORDER, event) for event in events]).rows.get(ORDER)
    return row.instances[0] if row is not None else None


def told(*events: Event, projection: Projection[SagaStatuses] = PROJECTION) -> tuple[str, str | None, str | None]:
    """The status, the step and the reason."""
    found = after(*events, projection=projection)
    assert found is not None
    return found.status, found.step, found.reason


def listed(number: int, *lists: str) -> Members:
    """Entries of an instance to which the event with that number happened last."""
    member = f"{sortable_time(at(number))}{STREAM}"
    return {name: {member: 0} for name in lists}


RUNNING: Final = ("fulfilment", "fulfilment:status:running", "idle")
AT_LAMP: Final = tuple(
    f"fulfilment{status}:step:{step}" for step in ("reserve", "reserve:lamp") for status in ("", ":status:running")
)


def test_one_that_runs_is_at_its_first_pending_step(spec: SpecOf) -> None:
    given = spec(PROJECTION).given(STARTED, DESK, of=ORDER)
    row = SagaStatuses(instances=(instance(STARTED, DESK, step="reserve:lamp"),))
    given.then(row, entries=listed(1, *RUNNING, *AT_LAMP), sums={"sum:status": {"running": 1}})


@pytest.mark.parametrize(
    ("last", "status", "reason"), [(COMPLETED, "completed", None), (ABANDONED, "compensated", "out-of-stock")]
)
def test_one_that_has_ended_is_at_no_step_and_keeps_no_state(
    spec: SpecOf, last: FulfilmentEvent, status: Any, reason: str | None
) -> None:
    ended = instance(STARTED, last, step=None, end=status, end_reason=reason, state=None)
    assert (ended.status, ended.reason) == (status, reason)
    entries = listed(1, "fulfilment", f"fulfilment:status:{status}")
    spec(PROJECTION).given(STARTED, last, of=ORDER).then(
        SagaStatuses(instances=(ended,)), entries=entries, sums={"sum:status": {status: 1}}
    )


def test_one_that_is_being_undone_runs_still() -> None:
    assert told(STARTED, DESK, MISSING) == ("running", "release:desk", None)


@pytest.mark.parametrize(
    ("word", "status", "why"), [(STOPPED, "failed", "a bug"), (PAUSED, "paused", "the carrier is on strike")]
)
def test_one_that_stands_still_says_why_until_it_goes_on(word: Event, status: Any, why: str) -> None:
    assert after(STARTED, word) == instance(STARTED, version=1, halt=Halt(status, why))
    assert told(STARTED, word) == (status, "reserve:desk", why)
    assert told(STARTED, word, RESUMED) == ("running", "reserve:desk", None)
    assert told(STARTED, ABANDONED, word) == (status, None, why)
    assert told(STARTED, ABANDONED, word, RESUMED) == ("compensated", None, "out-of-stock")


def test_one_that_fails_before_it_has_begun_is_seen_until_it_goes_on() -> None:
    assert told(STOPPED) == ("failed", None, "a bug")
    assert after(STOPPED, RESUMED) is None
    begun = after(STOPPED, STARTED, RESUMED)
    assert begun == instance(STARTED, version=2, started_at=at(0), updated_at=at(2))


def test_attempts_at_a_message_begin_nothing_and_are_no_change() -> None:
    assert after(ATTEMPTED, TAKEN) is None
    tried = after(STARTED, ATTEMPTED, TAKEN)
    assert tried == instance(STARTED, version=2, updated_at=at(0))


def test_the_next_open_deadline_is_shown_and_who_waits_for_one_is_not_idle() -> None:
    word, run = SagaDeadlineSet(name="word", due=at(60)), SagaDeadlineSet(name="run", due=at(90))
    for over in (SagaDeadlineEnded(name="word"), SagaDeadlinePassed(name="word", due=at(60))):
        waiting, later = after(STARTED, word, run), after(STARTED, word, run, over)
        assert (waiting and waiting.deadline, later and later.deadline) == (at(60), at(90))
    outcome = one_by_one(PROJECTION, [(ORDER, each) for each in (STARTED, word)])
    assert outcome.entries["due"] == {f"{sortable_time(at(60))}{STREAM}": 0}
    assert "idle" not in outcome.entries
    halted = one_by_one(PROJECTION, [(ORDER, each) for each in (STARTED, word, STOPPED)])
    assert halted.entries.keys() & {"due", "idle"} == set()


def test_what_is_looked_out_for_are_parts_of_indexes() -> None:
    idle = f"{sortable_time(at(1))}{STREAM}"
    assert [idle_since(at(number)).has("idle", idle) for number in (1, 2)] == [False, True]
    assert [overdue_since(at(number)).has("due", idle) for number in (1, 2)] == [False, True]
    assert stream_in(idle) == STREAM
    assert listed_in("fulfilment", "failed", "reserve") == "fulfilment:status:failed:step:reserve"


def _patient(state: NotStarted | Fulfilment) -> Sequence[Any]:
    return [replace(ask, step=f"patient-{ask.step}") for ask in fulfilment.pending(state)]


def _broken(state: Any) -> Never:
    raise KeyError("sku")


SECOND: Final = replace(fulfilment, version=2, pending=_patient, former=(fulfilment,))
BEGUN: Final[Sequence[Event]] = (SagaVersionSet(version=2), STARTED)
MIGRATED: Final = SagaMigrated(version=2, why="", kept=())


def test_each_is_at_the_step_that_its_own_version_asks_for() -> None:
    second = status_of(SECOND, FORM)
    assert told(*BEGUN, projection=second)[1] == "patient-reserve:desk"
    assert told(STARTED, projection=second)[1] == "reserve:desk"
    assert told(STARTED, MIGRATED, projection=second)[1] == "patient-reserve:desk"


CHANGES: Final[Mapping[str, Callable[[Any], Any]]] = {"undone": lambda state: replace(state, cause="a change")}


def test_a_mark_changes_what_it_is_at() -> None:
    changed = status_of(replace(fulfilment, changes=CHANGES), FORM)
    assert told(STARTED, SagaMarked(name="undone"), projection=changed)[1] == "cancel"


@pytest.mark.parametrize(
    ("saga", "events"),
    [
        (fulfilment, BEGUN),
        (fulfilment, (STARTED, SagaMarked(name="undone"))),
        (replace(fulfilment, pending=_broken), (STARTED,)),
    ],
    ids=["a version that is not there", "a change that is not there", "code that fails"],
)
def test_where_its_code_can_not_say_it_is_at_no_step_and_all_else_is_told(
    saga: Saga[Any, Any], events: Sequence[Event]
) -> None:
    assert told(*events, STOPPED, projection=status_of(saga, FORM)) == ("failed", None, "a bug")


def test_more_code_is_another_version_of_the_read_model() -> None:
    sagas = (fulfilment, SECOND, replace(fulfilment, changes=CHANGES), replace(SECOND, changes=CHANGES, former=()))
    assert [status_of(saga, FORM).version for saga in sagas] == [1, 2, 2, 3]


def test_one_that_begins_again_runs_again_from_its_first_step() -> None:
    ending = Ending[Any, Any]({COMPLETED.__class__: "completed"}, late="ignore", begins_again=(FulfilmentStarted,))
    again = status_of(replace(fulfilment, ending=ending), FORM)
    found = after(STARTED, COMPLETED, STARTED, projection=again)
    assert found == instance(STARTED, version=2, started_at=at(2))


def test_a_saga_that_declares_no_end_has_no_such_read_model() -> None:
    with pytest.raises(ValueError, match="fulfilment declares no end: nobody could tell when an instance is over"):
        status_of(replace(fulfilment, ending=None), FORM)
