"""Folding a batch of frames into rows and index changes, in memory, so that each row is written once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias

from domain.message import Recorded
from domain.stream_name import row_key_of
from infrastructure.eventstore.frames import LAST_POSITION, CaughtUp, CheckpointReached
from infrastructure.readmodels.blocked_streams import BlockedStreams
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Anchor
from infrastructure.readmodels.errors import EventNotFolded, TooManyBlocked
from infrastructure.readmodels.row_effects import add_change, index_changes
from infrastructure.subscriptions.frames import Batch, Happened, Passed, Unreadable
from projections.projection import BY_TEXT, Add, IndexChange, Projection, RowEntries, RowT, not_indexed
from projections.sums import Place, add_row, not_summed

_Changes: TypeAlias = dict[tuple[str, str], IndexChange]
_State: TypeAlias = tuple[Mapping[str, RowT | None], int | None, Mapping[str, Block]]
_Step: TypeAlias = Callable[[Projection[RowT], RowT | None, Sequence[Recorded[Any]], _Changes], RowT | None]
_NONE: Final[Mapping[str, Block]] = {}


@dataclass(slots=True)
class Folded(Generic[RowT]):
    """The result of a batch, up to the event that stops the partition, if there was one.

    `rows` are the changed ones by key (None: no longer there), `changes` the last change of each member of
    each index, `sums` what is added to each, `blocks` the changed ones (None: no longer blocked). `position` never goes
    back. `newest` is the newest record, None where the batch added none.
    """

    position: int | None
    rows: dict[str, RowT | None] = field(default_factory=dict)
    changes: dict[tuple[str, str], IndexChange] = field(default_factory=dict)
    caught_up: bool = False
    failure: TooManyBlocked | None = None
    newest: Happened | Passed | Unreadable | None = None
    blocks: dict[str, Block | None] = field(default_factory=dict)
    sums: dict[Place, int] = field(default_factory=dict)

    @property
    def anchor(self) -> Anchor | None:
        """The newest record, as a checkpoint names it."""
        return None if self.newest is None else Anchor(self.newest.position, self.newest.event_id)

    def passes(self, position: int) -> bool:
        """Moves to that position; False where it is not ahead of the current one."""
        if position > LAST_POSITION or (self.position is not None and position <= self.position):
            return False
        self.position = position
        return True


def touched(projection: Projection[RowT], batch: Batch, after: int | None) -> list[str]:
    """The keys of the rows that folding this batch will need, each once."""
    handlers, behind = projection.handlers, -1 if after is None else after
    ids = {
        frame.row_key: None
        for frame in batch
        if isinstance(frame, Happened)
        and frame.position > behind
        and (frame.kind in handlers or (frame.kind is None and frame.is_of(handlers)))
    }
    return list(ids)


def fold(
    projection: Projection[RowT],
    held: Mapping[str, RowT | None],
    batch: Batch,
    after: int | None,
    standing: Mapping[str, Block] = _NONE,
) -> Folded[RowT]:
    """Folds what comes after the position `after`; `held` has a row, or None, for each of the `touched` ids.

    A record that can't be folded blocks its stream: it and all later ones of the stream wait, and the rest is folded.
    `standing` are the blocks from before, by key.
    """
    index, state = projection.index, (held, after, standing)
    by_event = index is not not_indexed and not isinstance(index, RowEntries)
    folded = _fold(projection, batch, state, _steps if by_event else _single)
    try:
        follow_rows(projection, held, folded)
    except Exception:  # noqa: BLE001 - event by event it tells which one it is, and blocks that one's stream
        folded = _fold(projection, batch, state, _steps)
        follow_rows(projection, held, folded)
    return folded


def _fold(projection: Projection[RowT], batch: Batch, state: _State[RowT], step: _Step[RowT]) -> Folded[RowT]:
    held, after, standing = state
    folded, blocked = Folded[RowT](position=after), BlockedStreams(projection.name, standing)
    try:
        _take(projection, held, batch, step, folded, blocked)
    except TooManyBlocked as failure:
        folded.failure = failure
    folded.blocks.update(blocked.changed)
    return folded


def _take(
    projection: Projection[RowT],
    held: Mapping[str, RowT | None],
    batch: Batch,
    step: _Step[RowT],
    folded: Folded[RowT],
    blocked: BlockedStreams,
) -> None:
    rows, blocks = folded.rows, blocked.blocks
    for frame in batch:
        if not isinstance(frame, Happened):
            _pass(folded, frame, blocked)
            continue
        behind, row_key = folded.position, frame.row_key
        if behind is not None and frame.position <= behind:
            continue
        before = rows[row_key] if row_key in rows else held.get(row_key)
        waits, steps = row_key in blocks, step if frame.kind else _steps
        try:
            row = before if waits else steps(projection, before, frame.events, folded.changes)
        except EventNotFolded as failure:
            row = before
            blocked.block(frame, failure.__cause__ or failure)
        if waits and frame.is_of(projection.handlers):
            blocked.wait(frame)
        if row is not before:
            rows[row_key] = row
        folded.position, folded.newest = frame.position, frame


def _pass(
    folded: Folded[Any], frame: Passed | Unreadable | CheckpointReached | CaughtUp, blocked: BlockedStreams
) -> None:
    match frame:
        case Unreadable():
            if folded.position is not None and frame.position <= folded.position:
                return
            if frame.row_key in blocked.blocks:
                blocked.wait(frame)
            else:
                blocked.block(frame, frame.fault)
            folded.position, folded.newest = frame.position, frame
        case Passed(position):
            if folded.passes(position):
                folded.newest = frame
        case CheckpointReached(position):
            folded.passes(position)
        case CaughtUp():
            folded.caught_up = True


def follow_rows(projection: Projection[RowT], held: Mapping[str, RowT | None], folded: Folded[RowT]) -> None:
    """Changes indexes that follow from the rows alone, and sums, by what became of each row in all."""
    changes = folded.changes
    if isinstance(projection.index, RowEntries):
        for row_key, row in folded.rows.items():
            for change in index_changes(projection, row_key, held.get(row_key), row):
                changes[_place(change)] = change
    if projection.sums is not not_summed:
        for row_key, row in folded.rows.items():
            add_change(projection, row_key, (held.get(row_key), row), folded.sums)


def _single(
    projection: Projection[RowT], row: RowT | None, events: Sequence[Recorded[Any]], changes: _Changes
) -> RowT | None:
    """The row after the only event of a record, where what changes in the indexes follows from the rows alone."""
    recorded = events[0]
    try:
        handler = projection.handlers.get(type(recorded.event))
        if handler is not None:
            return handler(row, recorded)
        _require_ignored(projection, recorded)
    except Exception as error:
        raise _not_folded(projection, recorded, error) from error
    return row


def _steps(
    projection: Projection[RowT], row: RowT | None, events: Sequence[Recorded[Any]], changes: _Changes
) -> RowT | None:
    """The row after the record's events; names the event where that fails, and then nothing of the record is folded.

    `changes` becomes what they change in the indexes. What follows from the rows alone is found when the batch is done,
    and only checked here.
    """
    own: _Changes = {}
    row_key = row_key_of(events[0].stream)
    for recorded in events:
        try:
            handler = projection.handlers.get(type(recorded.event))
            if handler is None:
                _require_ignored(projection, recorded)
                continue
            before, row = row, handler(row, recorded)
            own.update({_place(change): change for change in index_changes(projection, row_key, before, row)})
            _require_distinct_scores(recorded, own)
            _require_sums(projection, row)
        except Exception as error:
            raise _not_folded(projection, recorded, error) from error
    if not isinstance(projection.index, RowEntries):
        changes.update(own)
    return row


def _not_folded(projection: Projection[Any], recorded: Recorded[Any], error: Exception) -> EventNotFolded:
    reason = f"{type(error).__name__}: {error}"
    return EventNotFolded(projection.name, recorded.stream, recorded.version, recorded.position, reason)


def _require_distinct_scores(recorded: Recorded[Any], changes: Mapping[tuple[str, str], IndexChange]) -> None:
    """Raises ValueError where two events of a record get one score in an index: a page could end between them.

    Members that are ordered by their texts are distinct anyhow.
    """
    if recorded.index == 0:
        return
    entries = [change.entry for change in changes.values() if isinstance(change, Add)]
    added = Counter((entry.index, entry.score) for entry in entries if entry.score != BY_TEXT)
    if doubled := [index for (index, _), entries in added.items() if entries > 1]:
        raise ValueError(f"several events of one record stand at one place in {', '.join(doubled)}")


def _require_sums(projection: Projection[RowT], row: RowT | None) -> None:
    """Raises what a row's contributions to sums raise."""
    if row is not None and projection.sums is not not_summed:
        add_row(projection.sums, row, {})


def _require_ignored(projection: Projection[Any], recorded: Recorded[Any]) -> None:
    if type(recorded.event) not in projection.ignored:
        raise LookupError(f"{type(recorded.event).__name__} is neither handled nor ignored")


def _place(change: IndexChange) -> tuple[str, str]:
    entry = change.entry
    return entry.index, entry.member
