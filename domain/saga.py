"""The shape of a long-running workflow: it observes events, asks by commands, and remembers both in its own stream."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from domain.call import Call, hears_no_calls
from domain.engine_events import ENGINE_EVENTS, PREFIX, SagaResumed, SagaSignalled
from domain.message import Command, Event
from domain.saga_end import Ending
from domain.signal import Payload, Signal, awaits_nothing, nothing_follows_from_a_signal

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
    reply that can't be one. `on_answer` does so for the answer to a call to the outside, a value.
    `signals` are those that may be sent to an instance; `awaits` says of which of them a state waits, and `on_signal`
    turns one that it waits for into events of the saga's own stream.
    `undoable` says whether a state lies before the point of no return: after it nobody may have the instance undone.
    `ending` says when an instance has ended, and what becomes of messages that come after that; without one they are
    observed as all others.

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
    pending: Callable[[StateT], Sequence[Ask | Call]]
    on_reply: Callable[[Ask, Sequence[Event], StateT], list[EventT]]
    on_answer: Callable[[Call, Any, StateT], Sequence[EventT]] = hears_no_calls
    signals: tuple[Signal, ...] = ()
    awaits: Callable[[StateT], Collection[str]] = awaits_nothing
    on_signal: Callable[[str, Payload, StateT], list[EventT]] = nothing_follows_from_a_signal
    undoable: Callable[[StateT], bool] = lambda state: True
    ending: Ending[StateT, EventT] | None = None

    def __post_init__(self) -> None:
        taken = [event.stored_name for event in self.events if event.stored_name.startswith(PREFIX)]
        if taken:
            raise ValueError(f"{', '.join(taken)} of {self.category}: names that begin with {PREFIX} are the engine's")
        if isinstance(self.begins, datetime) and self.begins.utcoffset() is None:
            raise ValueError(f"{self.category} begins at {self.begins}: a time needs its offset from UTC")

    @property
    def woken_by(self) -> tuple[type[Event], ...]:
        """What wakes an instance: the events of others, an operator's word, and a signal to it."""
        signalled = (SagaSignalled,) if self.signals else ()
        return (*self.reacts_to, SagaResumed, *signalled)

    def state_after(self, state: StateT, facts: Sequence[EventT]) -> StateT:
        """The state after these facts of its own."""
        for fact in facts:
            state = self.evolve(state, fact)
        return state

    def evolve_past_notes(self, state: StateT, event: Any) -> StateT:
        """`evolve` for all that the saga's stream holds: what the engine noted there changes no state of the saga."""
        return state if isinstance(event, ENGINE_EVENTS) else self.evolve(state, event)
