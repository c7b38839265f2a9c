"""The shape of a long-running workflow: it observes events, asks by commands, and remembers both in its own stream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from domain.deadline import Deadline, no_deadlines, nothing_follows
from domain.engine_events import ENGINE_EVENTS, PREFIX, SagaDeadlinePassed, SagaResumed
from domain.message import Command, Event
from domain.retry_rule import RetryRule, as_the_engine_does, nothing_is_undone

EventT = TypeVar("EventT", bound=Event)
StateT = TypeVar("StateT")
Begins: TypeAlias = Literal["beginning", "now"] | datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """A pending command. Its id is drawn from `step` and the event at which that became pending.

    So a step stays the same command as long as it is pending, and no other bears its name meanwhile: another charge
    that may be asked for as soon as the first is declined is another step.
    """

    step: str
    command: Command


@dataclass(frozen=True)  # no slots: up to Python 3.11 they keep `Saga[…](…)` from being called
class Saga(Generic[StateT, EventT]):
    """A workflow as pure functions.

    `reacts_to` are the events of others that wake it; `identify` says which instance one of them concerns.
    `begins` says which of them it is for, the first time that it runs on a store: all that there ever were, those from
    now on, or those written at this time or later, by the server's clock.
    `observe` turns such an event into events of the saga's own stream (none, if it holds them already).
    `pending` returns what must be asked for now, from the state alone, so that a restart asks again.
    `on_reply` turns the reply to one ask, the events that it left in its target's stream, into events of the saga's own
    stream, after which its step is no longer pending (none, if it was not any more). It raises `UnexpectedAnswer` for a
    reply that can't be one.
    `deadlines` are those of a state, and `on_deadline` turns one that passed into events of the saga's own stream. A
    step that was sent may have taken effect when its deadline passes: either it stays pending and its answer, which
    comes late, is judged then, or what is asked for next withdraws it, whatever became of it.
    `retry` says of a step how often it is asked for while its target refuses it. `on_failed` turns one that was refused
    so often into events of the saga's own stream, after which its step is no longer pending; it is told the last broken
    rule. As with a deadline, what is asked for next has to be right also if the step takes effect in the end.

    Raises ValueError for events that bear names of the engine's, and for a time without an offset from UTC.
    """

    category: str
    events: tuple[type[EventT], ...]
    initial: StateT
    evolve: Callable[[StateT, EventT], StateT]
    reacts_to: tuple[type[Event], ...]
    begins: Begins
    identify: Callable[[Any], str]
    observe: Callable[[Any, StateT], list[EventT]]
    pending: Callable[[StateT], list[Ask]]
    on_reply: Callable[[Ask, Sequence[Event], StateT], list[EventT]]
    deadlines: Callable[[StateT], Sequence[Deadline]] = no_deadlines
    on_deadline: Callable[[str, StateT], list[EventT]] = nothing_follows
    retry: Callable[[str], RetryRule | None] = as_the_engine_does
    on_failed: Callable[[Ask, str, StateT], list[EventT]] = nothing_is_undone

    def __post_init__(self) -> None:
        taken = [event.stored_name for event in self.events if event.stored_name.startswith(PREFIX)]
        if taken:
            raise ValueError(f"{', '.join(taken)} of {self.category}: names that begin with {PREFIX} are the engine's")
        if isinstance(self.begins, datetime) and self.begins.utcoffset() is None:
            raise ValueError(f"{self.category} begins at {self.begins}: a time needs its offset from UTC")

    @property
    def has_deadlines(self) -> bool:
        """Whether any state of it may declare one."""
        return self.deadlines is not no_deadlines

    @property
    def woken_by(self) -> tuple[type[Event], ...]:
        """What wakes an instance: the events of others, an operator's word, and a deadline of its own that passed."""
        passed = (SagaDeadlinePassed,) if self.has_deadlines else ()
        return (*self.reacts_to, SagaResumed, *passed)

    def evolve_past_notes(self, state: StateT, event: Any) -> StateT:
        """`evolve` for all that the saga's stream holds: what the engine noted there changes no state of the saga."""
        return state if isinstance(event, ENGINE_EVENTS) else self.evolve(state, event)
