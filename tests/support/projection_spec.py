"""Given these events, then this row, these index entries and these sums: the form of the tests of projections."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias

from domain.message import Event, Recorded
from projections.projection import Add, IndexChange, Projection, RowT
from projections.sums import Place, add_change
from tests.support.log import Log, recorded

Members: TypeAlias = Mapping[str, Mapping[str, int]]
"""Scores of the members of indexes, or counters and weights of the members of groups of sums; none of them empty."""


@dataclass(frozen=True)
class Outcome(Generic[RowT]):
    """All that a projection has made of a log: rows by their aggregates' ids, entries of indexes, sums.

    The groups of sums have their stored names, `sum:…` and `ranked:…`.
    """

    rows: Mapping[str, RowT] = field(default_factory=dict)
    entries: Members = field(default_factory=dict)
    sums: Members = field(default_factory=dict)


Run: TypeAlias = Callable[[Projection[Any], Log], Outcome[Any]]


@dataclass(frozen=True)
class Spec(Generic[RowT]):
    """A projection, what is given, and how that is folded."""

    projection: Projection[RowT]
    run: Run
    log: Log = ()

    def given(self, *events: Event, of: str = "1") -> "Spec[RowT]":
        """These events come next in the log, in the stream of this aggregate."""
        return replace(self, log=(*self.log, *((of, event) for event in events)))

    def then(self, *rows: RowT | None, entries: Members | None = None, sums: Members | None = None) -> None:
        """There is this row of each aggregate, in the order of their first events (None: it has none), and no other;
        these entries, these sums, and no others."""
        streams = dict.fromkeys(aggregate_id for aggregate_id, _ in self.log)
        there = {each: row for each, row in zip(streams, rows, strict=True) if row is not None}
        assert self.outcome == Outcome(there, entries or {}, sums or {})

    @property
    def outcome(self) -> Outcome[RowT]:
        """For what is easier said of a part of it."""
        return self.run(self.projection, self.log)


SpecOf: TypeAlias = Callable[[Projection[Any]], Spec[Any]]


def one_by_one(projection: Projection[RowT], log: Log) -> Outcome[RowT]:
    """What the handlers, index and sums say that they make of each event after the other: what all else is held to.

    Raises KeyError for an event that is neither handled nor ignored.
    """
    return made_of(projection, recorded(projection.category, log))


def made_of(projection: Projection[RowT], events: Iterable[Recorded[Any]]) -> Outcome[RowT]:
    """The same of events that are recorded, of one tenant."""
    rows: dict[str, RowT] = {}
    entries: dict[tuple[str, str], int] = {}
    sums: dict[Place, int] = {}
    for each in events:
        if type(each.event) in projection.ignored:
            continue
        before = rows.pop(each.aggregate_id, None)
        after = projection.handlers[type(each.event)](before, each)
        if after is not None:
            rows[each.aggregate_id] = after
        for change in projection.index(before, after):
            _change(entries, change)
        add_change(projection.sums, before, after, sums)
    return Outcome(rows, grouped(entries), sums_in(sums))


def grouped(members: Mapping[tuple[str, str], int]) -> Members:
    """By what they are members of."""
    groups: dict[str, dict[str, int]] = {}
    for (group, member), number in members.items():
        groups.setdefault(group, {})[member] = number
    return groups


def sums_in(sums: Mapping[Place, int]) -> Members:
    """Those that are not 0, by their groups."""
    return grouped({place: by for place, by in sums.items() if by})


def _change(entries: dict[tuple[str, str], int], change: IndexChange) -> None:
    place = change.entry.index, change.entry.member
    if isinstance(change, Add):
        entries[place] = change.entry.score
    else:
        assert entries.pop(place) == change.entry.score
