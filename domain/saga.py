"""The shape of a long-running workflow: it observes events, asks by commands, and remembers both in its own stream."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from domain.call import Call, hears_no_calls
from domain.deadline import Deadline, no_deadlines, nothing_follows
from domain.engine_events import ENGINE_EVENTS, PREFIX, SagaDeadlinePassed, SagaMarked, SagaResumed, SagaSignalled
from domain.message import Command, Event
from domain.retry_rule import RetryRule, as_the_engine_does, nothing_is_undone
from domain.saga_end import Ending
from domain.saga_steps import Step, Wait, require_consistent
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
    reply that can't be one; `last_id_of` the reply is for a later command that refers to it. `on_answer` does so for
    the answer to a call to the outside, a value.
    `signals` are those that may be sent to an instance; `awaits` says of which of them a state waits, and `on_signal`
    turns one that it waits for into events of the saga's own stream.
    `undoable` says whether a state lies before the point of no return: after it nobody may have the instance undone.
    `on_compensate` turns an operator's word that an instance is to be undone, and why, into events of the saga's own
    stream (none, if it is being undone already). They are stored of undoable states alone, once all that was asked is
    answered. Without it no instance is undone on a word. `cancels` is the command by which a customer would cancel
    what an instance is for, and why; its target decides whether it is too late.
    `ending` are the events after which an instance is over, what each means, and what becomes of messages that come
    after that. Without one it is over whenever nothing is pending, and all messages are observed.
    `deadlines` are those of a state, and `on_deadline` turns one that passed into events of the saga's own stream. A
    step that was sent may have taken effect when its deadline passes: either it stays pending and its answer, which
    comes late, is judged then, or what is asked for next withdraws it, whatever became of it.
    `retry` says of a step how often it is asked for while its target refuses it. `on_failed` turns one that was refused
    so often into events of the saga's own stream, after which its step is no longer pending; it is told the last broken
    rule. As with a deadline, what is asked for next has to be right also if the step takes effect in the end.

    `version` is raised when instances that are under way must not be decided by the new code; `former` are the versions
    that some of them still run on. All versions are one fold: they share all but what they decide.
    `changes` are smaller ones, by name: each instance that begins is marked with them, and what the function makes of
    the state at the mark is what the other functions see. One that began before the change has no mark.
    `steps` is the table of what it asks, from which its diagram is drawn; the first row is where it begins. `waits` are
    the places in it at which it asks nothing and waits for a message.

    Raises ValueError for events that bear names of the engine's, for a time without an offset from UTC, for an end at
    events of others, and for versions that can't stand side by side.
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
    version: int = 1
    former: tuple["Saga[StateT, EventT]", ...] = ()
    changes: Mapping[str, Callable[[StateT], StateT]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    waits: tuple[Wait, ...] = ()
    deadlines: Callable[[StateT], Sequence[Deadline]] = no_deadlines
    on_deadline: Callable[[str, StateT], list[EventT]] = nothing_follows
    retry: Callable[[str], RetryRule | None] = as_the_engine_does
    on_failed: Callable[[Ask, str, StateT], list[EventT]] = nothing_is_undone
    on_answer: Callable[[Call, Any, StateT], Sequence[EventT]] = hears_no_calls
    signals: tuple[Signal, ...] = ()
    awaits: Callable[[StateT], Collection[str]] = awaits_nothing
    on_signal: Callable[[str, Payload, StateT], list[EventT]] = nothing_follows_from_a_signal
    undoable: Callable[[StateT], bool] = lambda state: True
    on_compensate: Callable[[str, StateT], list[EventT]] | None = None
    cancels: Callable[[str, StateT], Command] | None = None
    ending: Ending[StateT, EventT] | None = None

    def __post_init__(self) -> None:
        taken = [event.stored_name for event in self.events if event.stored_name.startswith(PREFIX)]
        if taken:
            raise ValueError(f"{', '.join(taken)} of {self.category}: names that begin with {PREFIX} are the engine's")
        if isinstance(self.begins, datetime) and self.begins.utcoffset() is None:
            raise ValueError(f"{self.category} begins at {self.begins}: a time needs its offset from UTC")
        if self.ending is not None and (strange := {*self.ending.events, *self.ending.begins_again} - {*self.events}):
            names = ", ".join(sorted(event.stored_name for event in strange))
            raise ValueError(f"{self.category} ends or begins again at {names}, which is no event of it")
        self._check_versions()
        require_consistent(self.steps, self.waits, self.events, self.category)

    @cached_property
    def versions(self) -> "Mapping[int, Saga[StateT, EventT]]":
        """All versions that instances run on, this one as the newest."""
        return {each.version: each for each in (*self.former, self)}

    @cached_property
    def woken_by(self) -> tuple[type[Event], ...]:
        """The events of others that wake an instance of any version."""
        return tuple(dict.fromkeys(event for each in self._newest_first() for event in each.reacts_to))

    @cached_property
    def messages(self) -> tuple[type[Event], ...]:
        """All that wakes an instance: events of others, and what stands in its own stream.

        That is an operator's word, a signal, and a deadline that passed.
        """
        passed = (SagaDeadlinePassed,) if self.has_deadlines else ()
        signalled = (SagaSignalled,) if any(each.signals for each in (*self.former, self)) else ()
        return (*self.woken_by, SagaResumed, *passed, *signalled)

    def instance_of(self, event: Event) -> str:
        """Which instance the event concerns, as the newest version says that is woken by it."""
        return next((each for each in self._newest_first() if each.wakes_at(event)), self).identify(event)

    def wakes_at(self, event: Event) -> bool:
        """Whether this version is woken by events of that name."""
        return event.stored_name in {each.stored_name for each in self.reacts_to}

    @property
    def has_deadlines(self) -> bool:
        """Whether any state of any version of it may declare one."""
        return any(each.deadlines is not no_deadlines for each in (*self.former, self))

    def state_after(self, state: StateT, facts: Sequence[EventT]) -> StateT:
        """The state after these facts of its own."""
        for fact in facts:
            state = self.evolve(state, fact)
        return state

    def evolve_past_notes(self, state: StateT, event: Any) -> StateT:
        """`evolve` for all that the saga's stream holds: of what the engine noted there, marks alone change the state.

        One of a change that this code does not know leaves it as it is.
        """
        if isinstance(event, SagaMarked):
            return self.changes[event.name](state) if event.name in self.changes else state
        return state if isinstance(event, ENGINE_EVENTS) else self.evolve(state, event)

    def _newest_first(self) -> "list[Saga[StateT, EventT]]":
        return sorted((self, *self.former), key=lambda each: -each.version)

    def _check_versions(self) -> None:
        numbers = [each.version for each in (*self.former, self)]
        if numbers != sorted(set(numbers)) or numbers[0] < 1 or any(each.former for each in self.former):
            raise ValueError(f"versions {numbers} of {self.category}: they count from 1, the newest names the others")
        for name in ("category", "events", "initial", "evolve", "changes", "ending"):
            if any(getattr(each, name) != getattr(self, name) for each in self.former):
                raise ValueError(f"the versions of {self.category} differ in `{name}`, which they share")
