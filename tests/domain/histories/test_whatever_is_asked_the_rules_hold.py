"""Whatever commands come in whatever order, every aggregate keeps its rules, and a repeat changes nothing."""

from contextlib import suppress
from random import Random
from typing import Final

from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from domain.message import Event
from service.consumers import DECIDERS, route
from tests.domain.histories.boundaries import BOUNDARIES, Boundary, of_each_decider
from tests.domain.histories.histories import Step, command_types, decided, folded, history

OFTEN: Final = settings(deadline=None, max_examples=25)
SEARCH: Final = settings(deadline=None, max_examples=1000, database=None, phases=[Phase.generate])


def test_every_decider_that_runs_is_covered() -> None:
    assert [boundary.decider for boundary in BOUNDARIES] == list(DECIDERS)


@of_each_decider
def test_the_commands_that_a_decider_declares_are_those_it_is_sent(boundary: Boundary) -> None:
    kinds = command_types(boundary.decider)
    assert [route(kind.model_construct()) for kind in kinds] == [boundary.decider] * len(kinds)


@of_each_decider
def test_random_histories_come_to_everything(boundary: Boundary) -> None:
    """To every event, and to a real repeat of each command that is declared to mean more each time."""
    missing: set[type] = {*boundary.decider.events, *boundary.repeatable}

    def completes(steps: list[Step]) -> bool:
        missing.difference_update(type(event) for step in steps for event in step.events)
        missing.difference_update(type(step.command) for step in steps if changes_again(boundary, step))
        return not missing

    with suppress(NoSuchExample):
        find(history(boundary), completes, settings=SEARCH, random=Random(0))
    assert missing == set()


@of_each_decider
@OFTEN
@given(st.data())
def test_the_invariants_hold_at_every_step(boundary: Boundary, data: st.DataObject) -> None:
    told: list[Event] = []
    state, existed = boundary.decider.initial, False
    for step in data.draw(history(boundary)):
        for event in step.events:
            told.append(event)
            state = boundary.decider.evolve(state, event)
            boundary.check(told, state)
            assert boundary.decider.exists(state) or not existed
            existed = boundary.decider.exists(state)


@of_each_decider
@OFTEN
@given(st.data())
def test_a_command_that_comes_twice_changes_nothing(boundary: Boundary, data: st.DataObject) -> None:
    """It is silent, refused or declined in writing: only what is declared to mean more each time does more."""
    for step in data.draw(history(boundary)):
        assert type(step.command) in boundary.repeatable or not changes_again(boundary, step)


def changes_again(boundary: Boundary, step: Step) -> bool:
    """Whether the same command, where it did something, does something to the state that it left."""
    again = decided(boundary.decider, step.command, step.after) if step.events else ()
    return bool(folded(boundary.decider, step.after, again) != step.after)
