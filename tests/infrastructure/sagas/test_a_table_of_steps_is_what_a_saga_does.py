"""The table of steps says what a saga does along its recorded histories, all of it and nothing else."""

import json
from collections import defaultdict
from dataclasses import replace
from typing import Any, Final

import pytest

from domain.booking.events import AirlineSilent
from domain.booking.saga import saga as booking
from domain.fulfilment.saga import first
from domain.fulfilment.saga import saga as fulfilment
from domain.saga import Saga
from domain.saga_steps import END, Outcome, Step, Wait, kind_of
from domain.stock.stock import StockReserved
from domain.trips.trip_events import FlightConfirmed
from infrastructure.sagas.decisions import Decisions
from service.consumers import SAGAS
from tests.domain.fulfilment.recorded_histories import fulfilments
from tests.infrastructure.eventstore.samples import CODEC
from tests.infrastructure.sagas.fingerprints import HISTORIES, Histories, heard

Does = dict[str, dict[str, dict[str, dict[str, set[str]]]]]
"""By step: by its command, by the answer, by the fact: what is pending after it, or what it waits for.

By wait: by the name of its deadline, by the message or `PASSED`, likewise.
"""
PASSED: Final = "its deadline"


def declared(saga: Saga[Any, Any]) -> Does:
    return {
        **{wait.name: {wait.name: _outcomes_of(wait)} for wait in saga.waits},
        **_steps_of(saga),
    }


def _outcomes_of(wait: Wait) -> dict[str, dict[str, set[str]]]:
    heard = {message.stored_name: outcome for message, outcome in wait.heard.items()} | {PASSED: wait.passed}
    return {name: {outcome.fact.stored_name: set(outcome.then)} for name, outcome in heard.items()}


def _steps_of(saga: Saga[Any, Any]) -> Does:
    return {
        step.name: {
            step.command.__name__: {
                answer.stored_name: {outcome.fact.stored_name: set(outcome.then)}
                for answer, outcome in step.answers.items()
            }
        }
        for step in saga.steps
    }


def done(saga: Saga[Any, Any], histories: Histories) -> Does:
    does: Does = defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(set))))
    for history in histories.values():
        commands: dict[str, str] = {}
        before: dict[str, Any] = {"pending": [None]}
        for turn in Decisions(saga, CODEC).along(history):
            after = {kind_of(ask["step"]) for ask in turn["pending"]} or set(turn.get("deadlines", [END]))
            if turn["facts"] and (place := _place(before, turn, commands)) is not None:
                step, command, heard = place
                does[step][command][heard][turn["facts"][0]["name"]] |= after
            commands |= {ask["step"]: ask["command"] for ask in turn["pending"]}
            before = turn
    return does


def _place(before: dict[str, Any], turn: dict[str, Any], commands: dict[str, str]) -> tuple[str, str, str] | None:
    """The step that was answered, with its command, or the wait that is over; what came. None for what came between."""
    heard = next((event["name"] for event in turn["heard"]), PASSED)
    if "step" in turn:
        return kind_of(turn["step"]), commands[turn["step"]], heard
    if before["pending"]:
        return None
    [wait] = before["deadlines"]
    return wait, wait, heard


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_the_table_is_what_the_saga_does(saga: Saga[Any, Any]) -> None:
    assert done(saga, HISTORIES[saga.category]()) == declared(saga)


def test_that_of_a_former_version_is_what_that_does() -> None:
    told = fulfilments(first)
    histories = {name: [heard(step, events) for step, events in history] for name, history in told.items()}
    assert done(first, histories) == declared(first)


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_an_answer_after_which_nothing_is_undone_is_marked(saga: Saga[Any, Any]) -> None:
    """Along the histories, up to the end, after which there is nothing to undo."""
    assert saga.ending is not None
    names = {event.stored_name for event in saga.ending.events}
    found = set[str]()
    for history in HISTORIES[saga.category]().values():
        state = saga.initial
        for turn in Decisions(saga, CODEC).along(history):
            for fact in turn["facts"]:
                [event] = CODEC.schema.read(fact["name"], fact["version"], json.dumps(fact["data"]).encode())
                before, state = saga.undoable(state), saga.evolve_past_notes(state, event)
                found |= {fact["name"]} if before and not saga.undoable(state) else set()
    outcomes = [outcome for step in saga.steps for outcome in step.answers.values() if outcome.no_return]
    assert {outcome.fact.stored_name for outcome in outcomes} == found - names


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_the_first_row_is_where_it_begins(saga: Saga[Any, Any]) -> None:
    begun = [Decisions(saga, CODEC).along(history)[0] for history in HISTORIES[saga.category]().values()]
    assert {kind_of(ask["step"]) for turn in begun for ask in turn["pending"]} == {saga.steps[0].name}


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_it_is_over_after_its_ends_alone(saga: Saga[Any, Any]) -> None:
    assert saga.ending is not None
    ends = {event.stored_name for event in saga.ending.events}
    for history in HISTORIES[saga.category]().values():
        turns = Decisions(saga, CODEC).along(history)
        over = [bool(ends & {fact["name"] for fact in turn["facts"]}) for turn in turns]
        assert over == [False] * (len(turns) - 1) + [True]
        assert [turn["pending"] == [] and "deadlines" not in turn for turn in turns] == over


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        ({"name": "agree"}, "steps of booking: agree is no name, or that of several"),
        ({"passed": Outcome(AirlineSilent, ("go",))}, "flight-word of booking names go, which is no step"),
        (
            {"heard": {FlightConfirmed: Outcome(StockReserved, ("agree",))}},
            "flight-word of booking names StockReserved, which is no event of it",
        ),
    ],
)
def test_a_wait_that_names_what_there_is_not_is_refused(wait: dict[str, Any], told: str) -> None:
    [known] = booking.waits
    with pytest.raises(ValueError, match=told):
        replace(booking, waits=(replace(known, **wait),))


def _row(**changes: Any) -> tuple[Step, ...]:
    reserve, *others = fulfilment.steps
    return (replace(reserve, **changes), *others)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (_row(name="ship"), "steps of fulfilment: ship is no name, or that of several"),
        (_row(name="end"), "steps of fulfilment: end is no name, or that of several"),
        (_row(undo="give-back"), "reserve of fulfilment names give-back, which is no step"),
        (
            _row(answers={StockReserved: Outcome(StockReserved, ("charge",))}),
            "reserve of fulfilment names StockReserved, which is no event of it",
        ),
    ],
)
def test_a_table_that_names_what_there_is_not_is_refused(steps: tuple[Step, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(fulfilment, steps=steps)
