"""Decides whether an append may be written: expected versions and repeats, as EventStoreDB judges them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from infrastructure.embedded.eventstoredb.storage.metadata import MAX

ANY, NO_STREAM, EXISTS = -2, -1, -4


@dataclass(frozen=True, slots=True)
class StreamState:
    """`last` is the number of the newest event ever written: -1 for none, MAX after a tombstone."""

    last: int
    soft_deleted: bool
    has_metadata: bool


@dataclass(frozen=True, slots=True)
class Write:
    """Everything is new; a stream that was deleted comes back with it."""

    recreates: bool


@dataclass(frozen=True, slots=True)
class AlreadyWritten:
    """The same ids are there already; the repeat ends at the event with this number."""

    last: int


@dataclass(frozen=True, slots=True)
class WrongVersion:
    current: int


@dataclass(frozen=True, slots=True)
class Deleted:
    pass


Decision: TypeAlias = Write | AlreadyWritten | WrongVersion | Deleted


@dataclass(frozen=True, slots=True)
class History:
    """How a decision looks ids up: the first number that has an id, and the id at a number."""

    number_of: Callable[[UUID], int | None]
    id_at: Callable[[int], UUID | None]


def decide(expected: int, ids: Sequence[UUID], state: StreamState, history: History) -> Decision:
    """The rules in EventStoreDB's order: a tombstone first, then what was expected, then repeats."""
    if state.last == MAX:
        return Deleted()
    if expected == EXISTS and state.soft_deleted:
        return Deleted()
    if expected == EXISTS and state.last < 0 and not state.has_metadata:
        return WrongVersion(state.last)
    if expected in (ANY, EXISTS):
        return _at_any_version(ids, state, history)
    if expected < state.last:
        return _at_an_older_version(expected, ids, state, history)
    return Write(state.soft_deleted) if expected == state.last else WrongVersion(state.last)


def _at_any_version(ids: Sequence[UUID], state: StreamState, history: History) -> Decision:
    """Only a known first id makes it a repeat; then all of them must be known."""
    if not ids or history.number_of(ids[0]) is None:
        return Write(state.soft_deleted)
    numbers = [history.number_of(each) for each in ids]
    last = numbers[-1]
    if last is None or None in numbers:
        return WrongVersion(state.last)
    return AlreadyWritten(last)


def _at_an_older_version(expected: int, ids: Sequence[UUID], state: StreamState, history: History) -> Decision:
    """A repeat must have the very ids that follow the expected version."""
    for offset, each in enumerate(ids):
        number = expected + 1 + offset
        if number > state.last or history.id_at(number) != each:
            recreates = offset == 0 and expected == NO_STREAM and state.soft_deleted
            return Write(recreates=True) if recreates else WrongVersion(state.last)
    return AlreadyWritten(expected + len(ids)) if ids else WrongVersion(state.last)
