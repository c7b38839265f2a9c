"""The shape of a long-running workflow: it observes events, asks by commands, and remembers both in its own stream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.message import Command, Event

EventT = TypeVar("EventT", bound=Event)
StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True)
class Ask:
    """A pending command; `step` tells it from the other commands with the same cause."""

    step: str
    command: Command


@dataclass(frozen=True)  # no slots: up to Python 3.11 they keep `Saga[…](…)` from being called
class Saga(Generic[StateT, EventT]):
    """A workflow as pure functions.

    `reacts_to` are the events of others that wake it; `identify` says which instance one of them concerns.
    `observe` turns such an event into events of the saga's own stream (none, if it holds them already).
    `pending` returns what must be asked for now, from the state alone, so that a restart asks again.
    `on_reply` turns the reply to one ask, the events that it left in its target's stream, into events of the saga's own
    stream (none, if the ask is no longer pending). It raises `UnexpectedAnswer` for a reply that can't be one.
    """

    category: str
    events: tuple[type[EventT], ...]
    initial: StateT
    evolve: Callable[[StateT, EventT], StateT]
    reacts_to: tuple[type[Event], ...]
    identify: Callable[[Any], str]
    observe: Callable[[Any, StateT], list[EventT]]
    pending: Callable[[StateT], list[Ask]]
    on_reply: Callable[[Ask, Sequence[Event], StateT], list[EventT]]
