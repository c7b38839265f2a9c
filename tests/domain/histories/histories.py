"""Random histories: the declared commands of a decider, one after the other, against one aggregate."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from domain.decider import Decider
from domain.errors import Rejected, Unknown
from domain.message import Command, Event
from domain.saga import Saga
from tests.domain.histories.boundaries import Boundary
from tests.domain.histories.members import Members


@dataclass(frozen=True)
class Step:
    """One command, the state it met, what happened (nothing, if it was refused) and the state it left."""

    command: Command
    before: Any
    events: tuple[Event, ...]
    after: Any


def command_types(decider: Decider[Any, Any, Any]) -> tuple[type[Command], ...]:
    """The commands that a decider declares, by the annotation of what it decides."""
    declared = next(iter(get_type_hints(decider.decide).values()))
    return get_args(declared) or (declared,)


def state_type(source: Decider[Any, Any, Any] | Saga[Any, Any]) -> Any:
    """The type of a decider's or a saga's states, by the annotation of what its events lead to."""
    return get_type_hints(source.evolve)["return"]


@st.composite
def commands(draw: st.DrawFn, boundary: Boundary) -> list[Command]:
    """Commands to one aggregate, some of them too early: the members that all have are those that name it."""
    types = command_types(boundary.decider)
    address = frozenset[str].intersection(*(frozenset(kind.model_fields) for kind in types))
    members = Members(draw, address)
    anything = st.one_of([members.model(kind) for kind in types])
    early, opened = st.lists(anything, max_size=2), members.model(boundary.opening)
    in_order = st.tuples(*(st.none() | members.model(kind) for kind in boundary.in_order))
    later = st.lists(st.tuples(anything) | in_order, min_size=8, max_size=24)
    return [*draw(early), draw(opened), *filter(None, chain.from_iterable(draw(later)))]


def history(boundary: Boundary) -> st.SearchStrategy[list[Step]]:
    """What such commands do to an aggregate that nothing has happened to yet."""
    return commands(boundary).map(lambda sent: list(steps(boundary.decider, sent)))


def steps(decider: Decider[Any, Any, Any], sent: Iterable[Command]) -> Iterable[Step]:
    state = decider.initial
    for command in sent:
        events = decided(decider, command, state)
        after = folded(decider, state, events)
        yield Step(command, state, events, after)
        state = after


def decided(decider: Decider[Any, Any, Any], command: Command, state: Any) -> tuple[Event, ...]:
    """What a command does to this state, nothing where it is refused."""
    try:
        return tuple(decider.decide(command, state))
    except (Rejected, Unknown):
        return ()


def folded(source: Decider[Any, Any, Any] | Saga[Any, Any], state: Any, events: Iterable[Event]) -> Any:
    """The state that these events lead to from this one."""
    for event in events:
        state = source.evolve(state, event)
    return state
