"""Streams as the log would hold them, and what a projection makes of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.message import Event, Metadata, Recorded
from projections.projection import Add, IndexChange, Projection, Remove, RowT
from projections.sums import Place, add_change

FIRST_POSITION: Final = 1000
_BEGINNING: Final = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
_METADATA: Final = Metadata(
    correlation_id=UUID(int=1),
    causation_id=UUID(int=2),
    command_id=UUID(int=3),
    digest="",
    actor="anonymous",
    tenant="default",
    schema_version=1,
    time=_BEGINNING,
)


def at(version: int) -> datetime:
    """When the event with this version was written: one a minute."""
    return _BEGINNING + timedelta(minutes=version)


def position(version: int) -> int:
    """Where it stands in the log: other streams write in between."""
    return FIRST_POSITION + 10 * version


def history(stream: str, *events: Event) -> list[Recorded[Any]]:
    return [
        Recorded(
            event=event,
            id_or_text=UUID(int=version),
            stream=stream,
            version=version,
            position=position(version),
            at=at(version),
            metadata_or_read=_METADATA,
        )
        for version, event in enumerate(events)
    ]


def row_after(projection: Projection[RowT], *events: Event) -> RowT | None:
    """The row after these events, the first of which has version 0."""
    return fold(projection, *events)[0]


def index_after(projection: Projection[RowT], *events: Event) -> dict[str, dict[str, int]]:
    """The members and scores of each index that is not empty."""
    indexes: dict[str, dict[str, int]] = {}
    for change in fold(projection, *events)[1]:
        members = indexes.setdefault(change.entry.index, {})
        match change:
            case Add(entry):
                members[entry.member] = entry.score
            case Remove(entry):
                assert members.pop(entry.member) == entry.score
    return {index: members for index, members in indexes.items() if members}


def sums_after(projection: Projection[RowT], *events: Event) -> dict[str, dict[str, int]]:
    """The members of each counter group (`sum:…`) and ranking (`ranked:…`) that are not 0, added up event by event."""
    changes: dict[Place, int] = {}
    row: RowT | None = None
    for recorded in history(f"{projection.category}-1", *events):
        if type(recorded.event) not in projection.ignored:
            before, row = row, projection.handlers[type(recorded.event)](row, recorded)
            add_change(projection.sums, before, row, changes)
    groups: dict[str, dict[str, int]] = {}
    for (group, member), by in changes.items():
        if by:
            groups.setdefault(group, {})[member] = by
    return groups


def fold(projection: Projection[RowT], *events: Event) -> tuple[RowT | None, Iterable[IndexChange]]:
    """The row after these events, and all changes of indexes on the way."""
    row: RowT | None = None
    changes: list[IndexChange] = []
    for recorded in history(f"{projection.category}-1", *events):
        if type(recorded.event) in projection.ignored:
            continue
        after = projection.handlers[type(recorded.event)](row, recorded)
        changes.extend(projection.index(row, after))
        row = after
    return row, changes
