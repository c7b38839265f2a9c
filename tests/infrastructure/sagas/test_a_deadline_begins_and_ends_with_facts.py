"""What the engine notes beside a saga's facts: the deadlines that begin with them, and those that end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from domain.deadline import Deadline
from domain.engine_events import (
    EngineEvent,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMessageAttempted,
    SagaMessageWaiting,
    SagaStopped,
)
from domain.message import Event
from domain.saga import Saga
from infrastructure.sagas.filters import pattern_of
from infrastructure.sagas.instance import Instance, snapshot_rule
from infrastructure.sagas.timer_notes import timers_in, written
from infrastructure.sagas.timers import OpenDeadline, concern_deadlines, notes_on
from tests.infrastructure.sagas.errand import Errand, ErrandBegun, ErrandEvent, ErrandExtended, Errands, ThingFetched
from tests.infrastructure.sagas.patient_errand import NOON, PATIENCE, WORD, PatientErrands, patient

ERRANDS: Final = PatientErrands("pure")
STREAM: Final = "errand_pure-0"
BEGUN: Final = ErrandBegun(errand_id="0", shelves=("a", "b"))
FETCHED: Final = ThingFetched(shelf_id="a")
EXTENDED: Final = ErrandExtended(shelves=("c",))
SET: Final = SagaDeadlineSet(name=WORD, due=NOON + PATIENCE)
PASSED: Final = SagaDeadlinePassed(name=WORD, due=NOON + PATIENCE)
OTHER: Final = SagaMessageAttempted(stream="s-0", version=1, position=2, message_id="m")
HOUR: Final = timedelta(hours=1)


def folded(*events: Event, saga: Saga[Errand, ErrandEvent] = ERRANDS.saga) -> Instance[Errand]:
    """An instance whose stream holds these events."""
    instance = Instance(saga, STREAM)
    for number, event in enumerate(events):
        instance.append([event], UUID(int=number), UUID(int=1000 + number), number)
    return instance


def noted(
    *facts: Event, after: Sequence[Event] = (), saga: Saga[Errand, ErrandEvent] = ERRANDS.saga
) -> list[EngineEvent]:
    """What is noted at noon beside these facts, after those events."""
    instance = folded(*after, saga=saga)
    return notes_on(saga, instance.timers, instance.state, facts, NOON)


def reminding(*deadlines: Deadline) -> Saga[Errand, ErrandEvent]:
    """The saga with these deadlines while anything is to be fetched."""
    return replace(ERRANDS.saga, deadlines=lambda errand: deadlines if errand.ahead else ())


def test_it_begins_with_the_fact_that_makes_the_state_declare_it() -> None:
    assert noted(BEGUN) == []
    assert noted(FETCHED, after=[BEGUN]) == [SET]
    assert noted(BEGUN, FETCHED) == [SET]


def test_it_ends_with_the_fact_after_which_it_is_not_declared() -> None:
    assert noted(EXTENDED, after=[BEGUN, FETCHED, SET]) == [SagaDeadlineEnded(name=WORD)]
    assert noted(EXTENDED, after=[BEGUN, FETCHED]) == []


def test_its_time_is_fixed_when_it_begins() -> None:
    longer = reminding(Deadline("remind", HOUR))
    assert noted(FETCHED, after=[BEGUN, SagaDeadlineSet(name="remind", due=NOON)], saga=longer) == []


def test_it_begins_anew_where_one_fact_in_between_ends_it() -> None:
    saga = replace(ERRANDS.saga, deadlines=lambda errand: [Deadline(WORD, HOUR)] if len(errand.held) != 1 else [])
    began = SagaDeadlineSet(name=WORD, due=NOON)
    assert noted(FETCHED, ThingFetched(shelf_id="b"), after=[BEGUN, began], saga=saga) == [
        SagaDeadlineEnded(name=WORD),
        SagaDeadlineSet(name=WORD, due=NOON + HOUR),
    ]


def test_one_that_passed_is_over_until_it_was_not_declared_for_once() -> None:
    saga = reminding(Deadline("remind", HOUR))
    passed = [BEGUN, SagaDeadlineSet(name="remind", due=NOON), SagaDeadlinePassed(name="remind", due=NOON)]
    again = SagaDeadlineSet(name="remind", due=NOON + HOUR)
    assert noted(passed[2], after=passed[:2], saga=saga) == []
    assert noted(FETCHED, after=passed, saga=saga) == []
    done = [*passed, FETCHED, ThingFetched(shelf_id="b")]
    assert noted(EXTENDED, after=done, saga=saga) == [again]
    assert noted(FETCHED, ThingFetched(shelf_id="b"), EXTENDED, after=passed, saga=saga) == [again]


def test_one_that_recurs_begins_anew_with_its_passing() -> None:
    saga = reminding(Deadline("remind", HOUR, recurs=True))
    began = SagaDeadlineSet(name="remind", due=NOON - HOUR)
    passed = SagaDeadlinePassed(name="remind", due=NOON - HOUR)
    assert noted(passed, after=[BEGUN, began], saga=saga) == [SagaDeadlineSet(name="remind", due=NOON + HOUR)]
    assert noted(passed, FETCHED, ThingFetched(shelf_id="b"), after=[BEGUN, began], saga=saga) == []


def test_what_is_noted_of_messages_begins_and_ends_none() -> None:
    waiting = SagaMessageWaiting(stream="s-0", version=1, position=2, message_id="m")
    assert not concern_deadlines([waiting])
    assert concern_deadlines([waiting, FETCHED])


def test_a_saga_without_deadlines_notes_nothing() -> None:
    assert noted(BEGUN, FETCHED, saga=Errands("pure").saga) == []


def test_one_that_passed_wakes_only_sagas_that_have_deadlines() -> None:
    assert pattern_of(ERRANDS.saga) == "(?:ErrandAskedpure|SagaDeadlinePassed|SagaResumed)"
    assert pattern_of(Errands("pure").saga) == "(?:ErrandAskedpure|SagaResumed)"


def test_two_of_one_name_are_refused() -> None:
    twice = reminding(Deadline("remind", HOUR), Deadline("remind", PATIENCE))
    with pytest.raises(ValueError, match="errand_pure declares two deadlines remind at once"):
        noted(BEGUN, saga=twice)


@pytest.mark.parametrize(
    ("name", "after", "said"),
    [("", HOUR, "a deadline has a name"), ("word", timedelta(), "the deadline word is 0:00:00 after it begins")],
)
def test_one_that_can_not_be_is_refused(name: str, after: timedelta, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Deadline(name, after)


def test_an_instance_knows_its_open_deadlines_and_which_passes_first() -> None:
    later = SagaDeadlineSet(name="run", due=NOON + HOUR)
    timers = folded(BEGUN, FETCHED, SET, later).timers
    assert timers.next == OpenDeadline(SET.due, WORD, 2)
    assert [timers.next_due(NOON), timers.next_due(SET.due)] == [None, timers.next]
    assert folded(BEGUN, FETCHED, SET, later, PASSED).timers.next == OpenDeadline(later.due, "run", 3)
    assert folded(BEGUN, FETCHED, SET, SagaDeadlineEnded(name=WORD)).timers.next is None


@pytest.mark.parametrize(
    "note", [SET, SagaDeadlineEnded(name=WORD), PASSED, OTHER], ids=lambda note: type(note).__name__
)
def test_nothing_that_is_noted_changes_the_id_of_a_step(note: EngineEvent) -> None:
    told = [BEGUN, FETCHED, EXTENDED]
    assert folded(*told, note).causes == folded(*told).causes != {}
    assert folded(*told, note).state == folded(*told).state


def test_a_stop_changes_no_deadline() -> None:
    stopped = SagaStopped(stream="s-0", version=1, position=2, message_id="m", error="a bug")
    assert folded(BEGUN, FETCHED, SET, stopped).timers == folded(BEGUN, FETCHED, SET).timers


def test_a_snapshot_keeps_them() -> None:
    saga = reminding(Deadline("remind", HOUR), Deadline("run", HOUR))
    passed = SagaDeadlinePassed(name="remind", due=NOON)
    instance = folded(BEGUN, SET, passed, SagaDeadlineSet(name="run", due=NOON + HOUR), saga=saga)
    restored = Instance(saga, STREAM)
    restored.restore(instance.snapshot())
    assert restored.timers == instance.timers
    assert timers_in(written(instance.timers)) == instance.timers
    assert written(folded(BEGUN).timers) == {}


def test_a_snapshot_of_a_time_without_deadlines_is_of_another_saga() -> None:
    """Whoever took it may have restored one of a time with them, and have lost them."""
    plain = Errands("pure").saga
    before, after = (snapshot_rule(saga, (Errand,)).fingerprint for saga in (plain, patient(plain)))
    assert before != after
