"""The table of a saga's steps: for people, for diagrams, and held against what the saga does by a test."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.message import Command, Event

END: Final = "end"
"""In place of a step's name: it is over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer, a message or a deadline means: the saga's event, and what one of may follow it.

    That are the names of steps, then pending, or of waits, or `END`. After one with `no_return` the instance is not
    undone any more.
    """

    fact: type[Event]
    then: tuple[str, ...]
    no_return: bool = False


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

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self.answers.values())

    @property
    def leads_to(self) -> set[str]:
        """All that it names."""
        return _following(self.outcomes) | ({self.undo} if self.undo else set())


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is pending, and it is not over: one of the messages `heard` leads on, or its deadline, which `passed`.

    It has the name of that deadline.
    """

    name: str
    heard: Mapping[type[Event], Outcome]
    passed: Outcome

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return (*self.heard.values(), self.passed)

    @property
    def leads_to(self) -> set[str]:
        """All that it names."""
        return _following(self.outcomes)


def kind_of(step: str) -> str:
    """The name in the table of a step that is asked, without what it is asked for."""
    return step.partition(":")[0]


def is_named(step: str, name: str) -> bool:
    """Whether a step that is asked is meant by this name: its own, or that in the table."""
    return name in {step, kind_of(step)}


def row_of(steps: Sequence[Step], step: str) -> Step | None:
    """The row of a step that is asked; None where the table has none."""
    return next((row for row in steps if row.name == kind_of(step)), None)


def require_consistent(
    steps: Sequence[Step], waits: Sequence[Wait], events: Collection[type[Event]], category: str
) -> None:
    """Raises ValueError for a table that names one twice, or a step, a wait or an event that there is not."""
    rows: list[Step | Wait] = [*steps, *waits]
    names = [row.name for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1} | {END} & set(names)):
        raise ValueError(f"steps of {category}: {', '.join(twice)} is no name, or that of several")
    for row in rows:
        if unknown := sorted(row.leads_to - {*names, END}):
            raise ValueError(f"{row.name} of {category} names {', '.join(unknown)}, which is no step")
        if strange := sorted(outcome.fact.stored_name for outcome in row.outcomes if outcome.fact not in events):
            raise ValueError(f"{row.name} of {category} names {', '.join(strange)}, which is no event of it")


def _following(outcomes: Sequence[Outcome]) -> set[str]:
    return {name for outcome in outcomes for name in outcome.then}
