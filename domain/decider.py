"""The shape of a consistency boundary: decide, evolve and the state to begin with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from domain.message import Command, Event

CommandT = TypeVar("CommandT", bound=Command)
EventT = TypeVar("EventT", bound=Event)
StateT = TypeVar("StateT")


@dataclass(frozen=True)  # no slots: up to Python 3.11 they keep `Decider[…](…)` from being called
class Decider(Generic[CommandT, StateT, EventT]):
    """An aggregate as pure functions (after J. Chassaing, "Functional Event Sourcing Decider").

    `category` is the first part of its streams' names. `decide` returns what happens, an empty list where nothing
    does, and raises `Rejected` or `Unknown`. `evolve` is total. `exists` tells whether the state is that of something
    that was created: a stream may hold nothing but declined requests. `owner` tells whose it is, which never changes;
    None for what is nobody's own, and where nothing was created.
    """

    category: str
    events: tuple[type[EventT], ...]
    initial: StateT
    evolve: Callable[[StateT, EventT], StateT]
    decide: Callable[[CommandT, StateT], list[EventT]]
    exists: Callable[[StateT], bool]
    owner: Callable[[StateT], str | None] = lambda _: None

    def fold(self, events: Iterable[EventT]) -> StateT:
        """The state after these events, from the beginning of the stream."""
        return reduce(self.evolve, events, self.initial)
