"""A read model of how many events each stream has: its rows may begin with any event."""

from collections.abc import Iterable
from typing import Any

from domain.message import Event, Recorded
from domain.value import value
from projections.projection import Projection, Row


@value
class Count(Row):
    events: int


def counts_of(category: str, events: Iterable[type[Event]]) -> Projection[Count]:
    """That of a category with these events."""
    return Projection("counts", category, Count, dict.fromkeys(events, _counted))


def _counted(row: Count | None, recorded: Recorded[Any]) -> Count:
    return Count(events=1 if row is None else row.events + 1)
