"""The vocabulary of read models: rows folded from one stream each, and the index entries that follow from them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.message import Event, Recorded


class Row(BaseModel):
    """What a read model remembers of one stream; stored as one hash, each member as JSON in a field of its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of a sorted index. `score` is a commit position: unique, and exact up to 2^53."""

    index: str
    member: str
    score: int


@dataclass(frozen=True, slots=True)
class Add:
    """Puts an entry into its index; idempotent."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Remove:
    """Takes an entry out of its index."""

    entry: Entry


IndexChange: TypeAlias = Add | Remove


def where_known(
    handler: Callable[[RowT, Recorded[Any]], RowT],
) -> Callable[[RowT | None, Recorded[Any]], RowT | None]:
    """A handler that changes a row but never begins one: a stream of nothing but declined requests has no row."""

    def handle(row: RowT | None, recorded: Recorded[Any]) -> RowT | None:
        return None if row is None else handler(row, recorded)

    return handle


def not_indexed(before: RowT | None, after: RowT | None) -> Iterable[IndexChange]:
    """The index function of a projection that is only read by key."""
    return ()


@dataclass(frozen=True)  # no slots, as below
class RowEntries(Generic[RowT]):
    """An index function that keeps exactly the `entries` that the present row has: the rows alone tell them all."""

    entries: Callable[[RowT], Iterable[Entry]]

    def __call__(self, before: RowT | None, after: RowT | None) -> Iterable[IndexChange]:
        old = frozenset(self.entries(before)) if before is not None else frozenset()
        new = frozenset(self.entries(after)) if after is not None else frozenset()
        yield from (Remove(entry) for entry in sorted(old - new, key=repr))
        yield from (Add(entry) for entry in sorted(new - old, key=repr))


@dataclass(frozen=True)  # no slots: up to Python 3.11 they keep `Projection[…](…)` from being called
class Projection(Generic[RowT]):
    """One read model: which streams it reads, how each event changes the stream's row, what is indexed of it.

    A handler takes the row (None before the first event) and the recorded event, and returns the new row, or None
    for no row. `ignored` are the events of the category that change nothing here: together with `handlers` they are all
    events of the category, so that a new one can't be forgotten. `index` compares the row before and after an event;
    given None and a row it names every index in which the row's stream has entries, so that lost ones are found again.
    """

    name: str
    category: str
    row: type[RowT]
    handlers: Mapping[type[Event], Callable[[RowT | None, Any], RowT | None]]
    ignored: frozenset[type[Event]] = frozenset()
    index: Callable[[RowT | None, RowT | None], Iterable[IndexChange]] = not_indexed
