"""Folding a batch of frames into rows and index changes, in memory, so that each row is written once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias

from domain.message import Recorded
from infrastructure.eventstore.frames import LAST_POSITION, CaughtUp, CheckpointReached
from infrastructure.readmodels.checkpoint import Anchor
from infrastructure.readmodels.errors import EventNotFolded
from infrastructure.subscriptions.frames import Batch, Happened, Passed
from projections.projection import Add, IndexChange, Projection, Remove, RowT

_Step: TypeAlias = tuple[RowT | None, dict[tuple[str, str], IndexChange]]


@dataclass(slots=True)
class Folded(Generic[RowT]):
    """The result of a batch, up to the event that could not be folded, if there was one.

    `rows` are the changed ones by aggregate id (None: no longer there), `changes` the last change of each member of
    each index. `position` never goes back. `anchor` is the newest record, None where the batch added none.
    """

    position: int | None
    rows: dict[str, RowT | None] = field(default_factory=dict)
    changes: dict[tuple[str, str], IndexChange] = field(default_factory=dict)
    caught_up: bool = False
    failure: EventNotFolded | None = None
    anchor: Anchor | None = None

    def passes(self, position: int) -> bool:
        """Moves to that position; False where it is not ahead of the current one."""
        if position > LAST_POSITION or (self.position is not None and position <= self.position):
            return False
        self.position = position
        return True


def touched(projection: Projection[RowT], batch: Batch, after: int | None) -> list[str]:
    """The aggregate ids whose rows folding this batch will need, each once."""
    ids = {
        frame.events[0].aggregate_id: None
        for frame in batch
        if isinstance(frame, Happened)
        and (after is None or frame.position > after)
        and any(type(recorded.event) in projection.handlers for recorded in frame.events)
    }
    return list(ids)


def fold(
    projection: Projection[RowT], held: Mapping[str, RowT | None], batch: Batch, after: int | None
) -> Folded[RowT]:
    """Folds what comes after the position `after`; `held` has a row, or None, for each of the `touched` ids."""
    folded = Folded[RowT](position=after)
    for frame in batch:
        match frame:
            case Happened(events):
                _happened(projection, held, folded, events)
            case Passed(position, event_id):
                if folded.passes(position):
                    folded.anchor = Anchor(position, event_id)
            case CheckpointReached(position):
                folded.passes(position)
            case CaughtUp():
                folded.caught_up = True
        if folded.failure is not None:
            break
    return folded


def _happened(
    projection: Projection[RowT], held: Mapping[str, RowT | None], folded: Folded[RowT], events: Sequence[Recorded[Any]]
) -> None:
    """Folds all events of a record, or none: a position stands for whole records."""
    first, before_this = events[0], folded.position
    if not folded.passes(first.position):
        return
    aggregate_id = first.aggregate_id
    before = folded.rows[aggregate_id] if aggregate_id in folded.rows else held.get(aggregate_id)
    try:
        after, changes = _steps(projection, before, events)
    except EventNotFolded as failure:
        folded.position, folded.failure = before_this, failure
        return
    folded.anchor = Anchor(first.position, first.id)
    if after is not before:
        folded.rows[aggregate_id] = after
    folded.changes.update(changes)


def _steps(projection: Projection[RowT], row: RowT | None, events: Sequence[Recorded[Any]]) -> _Step[RowT]:
    """The row after the record's events, and what they change in the indexes; names the event where that fails."""
    changes: dict[tuple[str, str], IndexChange] = {}
    for recorded in events:
        if type(recorded.event) in projection.ignored:
            continue
        try:
            before, row = row, _handler(projection, recorded)(row, recorded)
            changes.update({_place(change): change for change in projection.index(before, row)})
            _require_distinct_scores(recorded, changes)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise EventNotFolded(
                projection.name, recorded.stream, recorded.version, recorded.position, reason
            ) from error
    return row, changes


def _require_distinct_scores(recorded: Recorded[Any], changes: Mapping[tuple[str, str], IndexChange]) -> None:
    """Raises ValueError where two events of a record get one score in an index: a page could end between them."""
    if recorded.index == 0:
        return
    added = Counter((change.entry.index, change.entry.score) for change in changes.values() if isinstance(change, Add))
    if doubled := [index for (index, _), entries in added.items() if entries > 1]:
        raise ValueError(f"several events of one record stand at one place in {', '.join(doubled)}")


def _handler(
    projection: Projection[RowT], recorded: Recorded[Any]
) -> Callable[[RowT | None, Recorded[Any]], RowT | None]:
    handler = projection.handlers.get(type(recorded.event))
    if handler is None:
        raise LookupError(f"{type(recorded.event).__name__} is neither handled nor ignored")
    return handler


def _place(change: IndexChange) -> tuple[str, str]:
    match change:
        case Add(entry) | Remove(entry):
            return entry.index, entry.member
