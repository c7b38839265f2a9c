"""Tries blocked streams again, and applies skips: such streams are folded anew, or on, and stored under the fence."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Generic, TypeAlias

from domain.stream_name import row_key_of
from domain.value import changed
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.fold import Folded
from infrastructure.readmodels.skips import Change, Skips
from infrastructure.readmodels.stored_streams import StoredStreams
from infrastructure.readmodels.stream_fold import Part, Refolded
from infrastructure.subscriptions.policy import back_off
from projections.projection import Add, IndexChange, Remove, RowT

EVERYTHING: Final = "*"
_FIRST, _LONGEST = 1.0, 300.0  # seconds from one try to the next
_RECORDS_AT_ONCE: Final = 100
_Place: TypeAlias = tuple[str, str]


class BlockRepair(Generic[RowT]):
    """Of one partition. A stream goes into one transaction whole: its row, index entries, block, and the checkpoint.

    `row_of` is the stored row of an aggregate, which `commit` finds held: it stores what became of a stream.
    """

    def __init__(
        self,
        fence: Fence,
        streams: StoredStreams[RowT],
        row_of: Callable[[str], RowT | None],
        commit: Callable[[Folded[RowT]], object],
    ) -> None:
        self._fence: Final = fence
        self._streams: Final = streams
        self._row_of: Final = row_of
        self._commit: Final = commit
        self._due: Final[dict[str, float]] = {}

    def begin(self) -> None:
        """Those that were blocked before this worker came are tried at once."""
        for row_key in self._streams.blocks:
            self._due.setdefault(row_key, 0.0)

    def apply(self, skips: Skips) -> None:
        """Applies the records that are not applied yet, some at a time: what they come to together, in one transaction.

        So a skip that is ended, and one that ends what should not have been, may come in any order. Raises as
        `try_again`.
        """
        streams = self._streams
        changes = skips.since(streams.applied, streams.concerns)
        before = skips.before(streams.applied, {change.stream for change in changes})
        streams.skips, streams.before = skips, dict(before)
        for first in range(0, len(changes), _RECORDS_AT_ONCE):
            self._apply(changes[first : first + _RECORDS_AT_ONCE])
        streams.before = {}

    def _apply(self, changes: Sequence[Change]) -> None:
        streams, folded = self._streams, Folded[RowT](self._fence.checkpoint.position)
        after = {change.stream: set(streams.before[change.stream]) for change in changes}
        for change in changes:
            (after[change.stream].add if change.absent else after[change.stream].discard)(change.version)
        streams.applied = changes[-1].number + 1
        if self._fence.begun:
            for stream, versions in after.items():
                self._without(stream, frozenset(versions), folded)
            streams.require_room(folded.blocks)
            self._commit(folded)
        streams.before.update((stream, frozenset(versions)) for stream, versions in after.items())
        streams.left_out.difference_update((change.stream, change.version) for change in changes)

    def _without(self, stream: str, absent: frozenset[int], folded: Folded[RowT]) -> None:
        """Adds what becomes of the stream without these events."""
        streams = self._streams
        changed_ones = {(stream, version) for version in absent ^ streams.before[stream]}
        if changed_ones <= streams.left_out:
            return
        row_key = row_key_of(stream)
        block = streams.blocks.get(row_key)
        if block is not None and all(version >= block.version for _, version in changed_ones):
            self._go_on(row_key, block, absent, folded)
        else:
            self._fold_anew(row_key, block, absent, folded)

    def try_again(self, wanted: Collection[str], end: float) -> None:
        """Tries those that are due, until that time of the monotonic clock, one in any case.

        Those `wanted` are due from now on. Raises CheckpointMoved, TooManyBlocked, CheckpointUnusable.
        """
        blocks, now = dict(self._streams.blocks), time.monotonic()
        self._due.update(dict.fromkeys(blocks if EVERYTHING in wanted else blocks.keys() & wanted, now))
        for row_key, block in blocks.items():
            if self._due.setdefault(row_key, now + _pause(block)) > now:
                continue
            self._try(row_key, block)
            if time.monotonic() >= end:
                break
        for row_key in self._due.keys() - self._streams.blocks.keys():
            del self._due[row_key]

    def _try(self, row_key: str, block: Block) -> None:
        """Goes on only where the event that it failed on can be folded: the rest may be long."""
        row, streams, folded = self._row_of(row_key), self._streams, Folded[RowT](self._fence.checkpoint.position)
        absent = streams.absent(streams.stream_of(row_key))
        tried = changed(block, tries=block.tries + 1)
        try:
            found = streams.fold(row_key, Part(absent, block.version, row, end=block.version + 1)).block
            if found is None:
                self._go_on(row_key, block, absent, folded)
            else:
                folded.blocks[row_key] = changed(tried, error=found.error, reason=found.reason)
        except CheckpointUnusable as error:  # the stream is not whole any more: it stays as it is
            folded.blocks[row_key] = changed(tried, error=type(error).__name__, reason=error.detail)
        self._commit(folded)
        self._due[row_key] = time.monotonic() + _pause(tried)

    def _go_on(self, row_key: str, block: Block, absent: frozenset[int], folded: Folded[RowT]) -> None:
        """Adds what becomes of a blocked stream from its block on."""
        row = self._row_of(row_key)
        found = self._streams.fold(row_key, Part(absent, block.version, row))
        if found.block is not None and found.block.version == block.version:
            folded.blocks[row_key] = changed(found.block, since=block.since, tries=block.tries + 1)
        else:
            self._add(row_key, found, found.changes, folded)

    def _fold_anew(self, row_key: str, block: Block | None, absent: frozenset[int], folded: Folded[RowT]) -> None:
        """Adds what becomes of a stream of which an event is absent now that was folded, or the other way round."""
        self._row_of(row_key)
        before = self._streams.absent(self._streams.stream_of(row_key))
        stored = self._streams.fold(row_key, Part(before, end=None if block is None else block.version))
        found = self._streams.fold(row_key, Part(absent))
        self._add(row_key, found, _difference(stored, found), folded)

    def _add(
        self, row_key: str, found: Refolded[RowT], changes: Mapping[_Place, IndexChange], folded: Folded[RowT]
    ) -> None:
        folded.rows[row_key] = found.row
        folded.changes.update(changes)
        if row_key in self._streams.blocks or found.block is not None:
            folded.blocks[row_key] = found.block


def _pause(block: Block) -> float:
    return back_off(block.tries, first=_FIRST, longest=_LONGEST)


def _difference(before: Refolded[RowT], after: Refolded[RowT]) -> Mapping[_Place, IndexChange]:
    """What the stream changes in indexes otherwise than before, and the removal of what it does not add any more."""
    old, new = before.changes, after.changes
    added = {place: change.entry for place, change in old.items() if isinstance(change, Add)}
    gone = {place: Remove(entry) for place, entry in added.items() if place not in new}
    return gone | {place: change for place, change in new.items() if old.get(place) != change}
