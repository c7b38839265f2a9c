"""The vocabulary of read models: rows folded from one stream each, and the index entries and sums that follow."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar

from domain.message import Event, Recorded
from domain.value import value
from projections.reports import AnyReport
from projections.row_lists import RowList
from projections.sums import Sums, not_summed


class Row:
    """A value: what a read model remembers of one stream. Redis has it as a hash, each member as JSON in a field."""

    __slots__ = ()

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


RowT = TypeVar("RowT", bound=Row)
LAST_VERSION: Final = 999
BY_TEXT: Final = 0
"""The score of all members of an index that is ordered by their texts."""


@value
class Entry:
    """A member of a sorted index. `score` is a commit position: unique, and exact up to 2^53.

    Without one the members of the index are ordered by their texts.
    """

    index: str
    member: str
    score: int = BY_TEXT


@value
class Add:
    """Puts an entry into its index; idempotent."""

    entry: Entry


@value
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
    """An index function that keeps exactly the `entries` that the present row has: the rows alone tell them all.

    So of many events in a row it is enough to compare the row before the first with the one after the last.
    """

    entries: Callable[[RowT], Iterable[Entry]]

    def __call__(self, before: RowT | None, after: RowT | None) -> Iterable[IndexChange]:
        old = list(self.entries(before)) if before is not None else []
        new = list(self.entries(after)) if after is not None else []
        if old == new:
            return []
        removed = [Remove(entry) for entry in old if entry not in new]
        return removed + [Add(entry) for entry in new if entry not in old]


@dataclass(frozen=True)  # no slots: up to Python 3.11 they keep `Projection[…](…)` from being called
class Projection(Generic[RowT]):
    """One read model: which streams it reads, how each event changes the stream's row, what is indexed of it.

    A handler takes the row (None before the first event) and the recorded event, and returns the new row, or None
    for no row. `ignored` are the events of the category that change nothing here: together with `handlers` they are all
    events of the category, so that a new one can't be forgotten. `index` compares the row before and after an event;
    given None and a row it names every index in which the row's stream has entries, so that lost ones are found again.
    `sums` says what a row contributes to the sums over all rows.
    Indexes and groups of sums are kept for each tenant by itself, whatever their names, but for those whose names are
    `shared`: they hold what all tenants' rows have, so that the service itself finds it, and nobody is shown it.
    `version` counts the changes to what is stored of it: with the next one, all of it is built anew beside the old.
    `lists` and `reports` are made of what is stored, so they need no new version where they change.
    """

    name: str
    category: str
    row: type[RowT]
    handlers: Mapping[type[Event], Callable[[RowT | None, Any], RowT | None]]
    ignored: frozenset[type[Event]] = frozenset()
    index: Callable[[RowT | None, RowT | None], Iterable[IndexChange]] = not_indexed
    version: int = 1
    sums: Sums[RowT] = not_summed
    shared: frozenset[str] = frozenset()
    lists: tuple[RowList, ...] = ()
    reports: tuple[AnyReport, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.version <= LAST_VERSION:
            raise ValueError(f"{self.name}: the version is {self.version}, it counts from 1 to {LAST_VERSION}")
