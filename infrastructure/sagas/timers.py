"""The deadlines of one instance of a saga: folded from what the engine noted, and what it has to note next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from domain.deadline import Deadline
from domain.engine_events import (
    ENGINE_EVENTS,
    EngineEvent,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
)
from domain.message import Event
from domain.saga import Saga

StateT = TypeVar("StateT")


class OpenDeadline(NamedTuple):
    """When it passes, its name, and the version of the record that says so; they sort in the order of passing."""

    due: datetime
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Timers:
    """`open` are the deadlines that begin and neither ended nor passed, by name.

    `passed` are the names of those that passed and were declared ever since: they don't begin again.
    """

    open: Mapping[str, OpenDeadline] = field(default_factory=dict)
    passed: frozenset[str] = frozenset()

    @property
    def next(self) -> OpenDeadline | None:
        """The one that passes first."""
        return min(self.open.values(), default=None)

    def next_due(self, now: datetime) -> OpenDeadline | None:
        """The first of those that have passed by then and did not lead to anything."""
        first = self.next
        return first if first is not None and first.due <= now else None

    def without(self, name: str) -> "Timers":
        """This one is no longer open."""
        return replace(self, open={key: each for key, each in self.open.items() if key != name})

    def passed_among(self, declared: Mapping[str, Deadline]) -> "Timers":
        """Those that passed are over once they are not declared."""
        return replace(self, passed=self.passed & declared.keys())

    def among(self, declared: Mapping[str, Deadline]) -> "Timers":
        """Those that are still declared."""
        kept = {name: each for name, each in self.open.items() if name in declared}
        return Timers(kept, self.passed & declared.keys())


def evolve(timers: Timers, event: EngineEvent, version: int) -> Timers:
    """The deadlines after what was noted in the record of that version."""
    match event:
        case SagaDeadlineSet():
            opened = OpenDeadline(event.due, event.name, version)
            return Timers({**timers.open, event.name: opened}, timers.passed - {event.name})
        case SagaDeadlineEnded():
            return timers.without(event.name)
        case SagaDeadlinePassed():
            return replace(timers.without(event.name), passed=timers.passed | {event.name})
        case _:
            return timers


def declared_by(saga: Saga[StateT, Any], state: StateT) -> dict[str, Deadline]:
    """The deadlines of a state by their names. Raises ValueError where two have one name."""
    found: dict[str, Deadline] = {}
    for deadline in saga.deadlines(state):
        if found.setdefault(deadline.name, deadline) is not deadline:
            raise ValueError(f"{saga.category} declares two deadlines {deadline.name} at once")
    return found


def notes_on(
    saga: Saga[StateT, Any], timers: Timers, state: StateT, facts: Sequence[Event], now: datetime
) -> list[EngineEvent]:
    """What is noted beside these facts, the next of an instance in this state: which deadlines end, and which begin.

    Each fact counts: one that is not declared in between ends, and begins anew.
    """
    left = timers
    for fact in facts:
        state = saga.evolve_past_notes(state, fact)
        if isinstance(fact, ENGINE_EVENTS):
            left = evolve(left, fact, -1)
        left = left.among(declared_by(saga, state))
    ended = [SagaDeadlineEnded(name=name) for name in timers.open if name not in _passed_in(facts) | left.open.keys()]
    begun = [each for each in declared_by(saga, state).values() if _begins(each, left)]
    return [*ended, *(SagaDeadlineSet(name=each.name, due=now + each.after) for each in begun)]


def _begins(deadline: Deadline, left: Timers) -> bool:
    return deadline.name not in left.open and (deadline.recurs or deadline.name not in left.passed)


def _passed_in(facts: Sequence[Event]) -> set[str]:
    return {fact.name for fact in facts if isinstance(fact, SagaDeadlinePassed)}


def concern_deadlines(facts: Sequence[Event]) -> bool:
    """Whether deadlines may end or begin with these: what the engine notes of other matters is no reason to look."""
    return any(isinstance(fact, SagaDeadlinePassed) or not isinstance(fact, ENGINE_EVENTS) for fact in facts)
