"""A small read model for tests: tallies that are opened, raised and closed, and frames of them without a server."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from domain.message import Event, Metadata, Recorded, stored_as
from domain.value import changed, value
from infrastructure.subscriptions.frames import Happened
from projections.projection import Add, Entry, IndexChange, Projection, Row, RowEntries, RowT

AT: Final = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
METADATA: Final = Metadata.model_validate(
    {
        "$correlationId": UUID(int=1),
        "$causationId": UUID(int=2),
        "command_id": UUID(int=2),
        "digest": "d",
        "actor": "anonymous",
        "tenant": "default",
        "schema_version": 1,
        "time": AT,
    }
)


@stored_as(name="TallyOpened", version=1)
class Opened(Event):
    owner: str


@stored_as(name="TallyRaised", version=1)
class Raised(Event):
    by: int


@stored_as(name="TallyClosed", version=1)
class Closed(Event):
    pass


@stored_as(name="TallyRemarked", version=1)
class Remarked(Event):
    pass


@stored_as(name="TallyUnheard", version=1)
class Unheard(Event):
    """Neither handled nor ignored by the projections here."""


EVENTS: Final = (Opened, Raised, Closed, Remarked, Unheard)


@value
class Tally(Row):
    owner: str
    total: int
    opened: int
    version: int


def _opened(row: Tally | None, recorded: Recorded[Opened]) -> Tally:
    return Tally(owner=recorded.event.owner, total=0, opened=recorded.position, version=recorded.version)


def _raised(row: Tally | None, recorded: Recorded[Raised]) -> Tally | None:
    if row is None:
        return None
    if recorded.event.by < 0:
        raise ValueError("a tally is never lowered")
    return changed(row, total=row.total + recorded.event.by, version=recorded.version)


def _closed(row: Tally | None, recorded: Recorded[Closed]) -> None:
    return None


def new_category() -> str:
    """One that no other test has written to."""
    return f"tally{uuid4().hex[:12]}"


def tallies(category: str, name: str = "tallies") -> Projection[Tally]:
    """Keeps one row a tally, and for every owner the open ones, newest first."""
    return Projection(
        name=name,
        category=category,
        row=Tally,
        handlers={Opened: _opened, Raised: _raised, Closed: _closed},
        ignored=frozenset({Remarked}),
        index=RowEntries[Tally](lambda row: [Entry(f"owner:{row.owner}", str(row.opened), row.opened)]),
    )


class _Unwritable:
    def __str__(self) -> str:
        raise TypeError("it can't be written")


def unstorable(row: RowT, member: str = "total") -> RowT:
    """One that can't be written: unlike an event that can't be folded, that stops the whole partition."""
    return changed(row, **{member: _Unwritable()})


@value
class Change(Row):
    owner: str
    total: int
    position: int


def _first(row: Change | None, recorded: Recorded[Opened]) -> Change:
    return Change(owner=recorded.event.owner, total=0, position=recorded.position)


def _next(row: Change | None, recorded: Recorded[Raised]) -> Change | None:
    if row is None:
        return None
    return Change(owner=row.owner, total=row.total + recorded.event.by, position=recorded.position)


def _no_change(row: Change | None, recorded: Recorded[Closed]) -> Change | None:
    return row


def raises(category: str, name: str = "raises") -> Projection[Change]:
    """Keeps an index entry for every event that changed a tally, as a statement does."""

    def changes(before: Change | None, after: Change | None) -> Iterable[IndexChange]:
        if after is not None and after != before:
            yield Add(Entry(f"history:{after.owner}", f"{after.position}:{after.total}", after.position))

    return Projection(
        name=name,
        category=category,
        row=Change,
        handlers={Opened: _first, Raised: _next, Closed: _no_change},
        ignored=frozenset({Remarked}),
        index=changes,
    )


def happened(event: Event, tally: str, *, version: int, position: int) -> Happened:
    """The frame of an event of the stream `tally-<tally>`."""
    return Happened([Recorded(event, uuid4(), f"tally-{tally}", version, position, AT, METADATA)])


def history(*events: Sequence[object], first: int = 10, step: int = 10) -> list[Happened]:
    """Frames of `(tally, event)` pairs, in the log's order: versions counted per tally, positions by steps."""
    versions: dict[str, int] = {}
    frames = []
    for number, (tally, event) in enumerate(events):
        assert isinstance(tally, str)
        assert isinstance(event, Event)
        versions[tally] = versions.get(tally, -1) + 1
        frames.append(happened(event, tally, version=versions[tally], position=first + step * number))
    return frames
