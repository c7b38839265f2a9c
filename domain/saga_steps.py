"""The table of a saga's steps: for people, for diagrams, and held against what the saga does by a test."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.message import Command, Event

END: Final = "end"
"""In place of a step's name: nothing is pending any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means: the saga's event, and the names of the steps one of which is pending after it, or `END`."""

    fact: type[Event]
    then: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked under this name, or under names that begin with it and a colon, such as `reserve:lamp`.

    `answers` are the events of the target that may answer. `undo` is the step that takes its effect back.
    `skip_leaves` are the saga's own events that stand for the answer where somebody has done it by hand, made of the
    command and the state; without it the step can't be skipped.
    """

    name: str
    command: type[Command]
    answers: Mapping[type[Event], Outcome]
    undo: str | None = None
    skip_leaves: Callable[[Any, Any], Sequence[Event]] | None = None


def kind_of(step: str) -> str:
    """The name in the table of a step that is asked, without what it is asked for."""
    return step.partition(":")[0]


def is_named(step: str, name: str) -> bool:
    """Whether a step that is asked is meant by this name: its own, or that in the table."""
    return name in {step, kind_of(step)}


def row_of(steps: Sequence[Step], step: str) -> Step | None:
    """The row of a step that is asked; None where the table has none."""
    return next((row for row in steps if row.name == kind_of(step)), None)


def require_consistent(steps: Sequence[Step], events: Collection[type[Event]], category: str) -> None:
    """Raises ValueError for a table that names a step twice, or names a step or an event that there is not."""
    names = [step.name for step in steps]
    if twice := sorted({name for name in names if names.count(name) > 1} | {END} & set(names)):
        raise ValueError(f"steps of {category}: {', '.join(twice)} is no name, or that of several")
    for step in steps:
        outcomes = step.answers.values()
        named = {name for outcome in outcomes for name in outcome.then} | ({step.undo} if step.undo else set())
        if unknown := sorted(named - {*names, END}):
            raise ValueError(f"{step.name} of {category} names {', '.join(unknown)}, which is no step")
        if strange := sorted(outcome.fact.stored_name for outcome in outcomes if outcome.fact not in events):
            raise ValueError(f"{step.name} of {category} names {', '.join(strange)}, which is no event of it")
