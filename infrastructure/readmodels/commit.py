"""One partition of a read model: batches are folded into its rows and committed; what Redis has lost is mended."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Generic

import redis
from redis.client import Pipeline

from infrastructure.readmodels.block_repair import BlockRepair
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.fold import Folded, fold, follow_rows, touched
from infrastructure.readmodels.groups import begin_groups, change_groups
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.held_rows import HeldRows
from infrastructure.readmodels.inventory import KEPT, change_indexes, change_uncounted_indexes, list_rows, missing
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.repair import Repair
from infrastructure.readmodels.skips import Skips
from infrastructure.readmodels.stored_streams import StoredStreams
from infrastructure.readmodels.stream_fold import Refold
from infrastructure.subscriptions.frames import Batch
from projections.projection import Projection, RowEntries, RowT
from projections.sums import not_summed

ROWS_HELD: Final = 20_000
"""Rows of a generation that are kept in memory, shared out among its partitions: the most recently used."""

MENDING_SECONDS: Final = 0.5
"""How long each look at what is stored may mend; the log is followed for as long in between."""


class Partition(Generic[RowT]):
    """Its worker is the only writer of its rows, which the fence proves at each commit.

    Where `announces` is set, commits are announced, but for those of a replay, for which nobody waits.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        store: str,
        rows_held: int,
        refold: Refold[RowT],
    ) -> None:
        self._projection: Final = projection
        self._is_summed: Final = projection.sums is not not_summed
        self._keys: Final = keys
        self._fence: Final = Fence(connection, keys, store)
        self._rows: Final = HeldRows(projection.row, keys, self._fence, rows_held)
        self._in_part: Mapping[int, str] = {}
        self.announces = False
        self.streams: Final = StoredStreams(projection, keys, self._fence, refold)
        self._repair: Final = Repair(connection, projection, keys, self._fence, self._rows, self.streams)
        self._blocks: Final = BlockRepair(self._fence, self.streams, self._stored_row, self._store)

    def load(self) -> int | None:
        """Forgets the rows in memory and reads the stored checkpoint; its position, None to begin at the beginning.

        What is skipped has to be applied next. Raises CheckpointUnusable for a checkpoint of another store, NewerFormat
        for one of a later release, CheckpointMoved.
        """
        self._rows.forget(none_exist=False)
        self._repair.forget()
        self._fence.load()
        self.streams.load()
        self._blocks.begin()
        self._rows.forget(none_exist=not self.begun)
        return self.position

    @property
    def position(self) -> int | None:
        """Up to where it is folded."""
        return self.checkpoint.position

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as it was last read or committed, or as it is being committed."""
        return self._fence.checkpoint

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint."""
        return self._fence.begun

    @property
    def mends(self) -> bool:
        """Whether something was found lost and is not mended yet."""
        return self._repair.waits

    def close(self) -> None:
        """Ends the connection that commits; the next commit begins another."""
        self._fence.close()

    def verify(self, seconds: float = MENDING_SECONDS) -> None:
        """Raises CheckpointMoved when the stored checkpoint is no longer ours: on a quiet log nothing else shows it.

        Looks at a part of the rows and indexes each time, and mends what is lost of them, for some `seconds`. Raises
        CheckpointUnusable where that can't be done, and what folding raises.
        """
        self.settle()

        def put(pipeline: Pipeline) -> None:
            pipeline.zcard(self._keys.ids)
            pipeline.hexists(self._keys.sizes, KEPT)
            pipeline.hlen(self._keys.blocked)

        found = self._fence.read(put)
        if self.begun and (loss := missing(self.checkpoint, *found)) is not None:
            raise CheckpointUnusable(self._projection.name, f"Redis has lost a part: {loss}")
        if not self.begun or self.checkpoint.rows is None:
            return
        self._repair.go_on(seconds)

    def apply_skips(self, skips: Skips) -> None:
        """Makes what is stored the fold of the log without what is skipped, as far as it is not so yet.

        Raises CheckpointMoved, TooManyBlocked, CheckpointUnusable.
        """
        self.settle()
        self._blocks.apply(skips)

    def try_blocked(self, wanted: Collection[str], seconds: float = MENDING_SECONDS) -> None:
        """Tries blocked streams again, for some `seconds`: those that are due, and those `wanted`; raises as above."""
        if self.blocks:
            self.settle()
            self._blocks.try_again(wanted, time.monotonic() + seconds)

    @property
    def blocks(self) -> Mapping[str, Block]:
        """The blocks of streams, by the keys of their rows."""
        return self.streams.blocks

    def apply(self, batch: Batch) -> bool:
        """Folds and commits what the batch adds to the checkpoint; whether it reached the end of the log.

        Lost rows that it needs are mended first. Raises CheckpointMoved, after which only `load` helps, and
        TooManyBlocked after committing what came before.
        """
        reached_end = self.advance(batch)
        self.settle()
        return reached_end

    def advance(self, batch: Batch, *, live: bool = False) -> bool:
        """As `apply`, but it waits only for the commit before: `settle` has to follow at some time.

        So Redis commits one batch while the next is folded. `live` says that the end of the log was reached before.
        """
        needed = touched(self._projection, batch, self.position)
        if not self._rows.holds(needed):
            self.settle()
        lost = self._rows.fetch(needed, self.checkpoint.rows)
        self._rows.hold(self._repair.mend(lost))
        folded = fold(self._projection, self._rows.held, batch, self.position, self.streams.blocks)
        self.settle()
        if folded.position != self.position or (folded.caught_up and not self.begun):
            announces = self.announces and (live or folded.caught_up)
            self._begin_commit(folded, self.checkpoint, announces=announces)
        self._rows.trim()
        if folded.failure is not None:
            self.settle()
            raise folded.failure
        return folded.caught_up

    def settle(self) -> None:
        """Waits until what was begun is committed. Raises CheckpointMoved, after which only `load` helps.

        A row of which only a part is stored then, because Redis has lost the rest meanwhile, is stored whole.
        """
        if self._fence.is_moving:
            replies, in_part = self._fence.finish(), self._in_part
            self._repair.mend([row_key for place, row_key in in_part.items() if replies[place]])

    def _stored_row(self, row_key: str) -> RowT | None:
        """The row, held from now on; mended where it is lost."""
        self._rows.hold(self._repair.mend(self._rows.fetch([row_key], self.checkpoint.rows)))
        return self._rows.held[row_key]

    def _store(self, folded: Folded[RowT]) -> None:
        """Stores what became of a stream at the checkpoint."""
        if isinstance(self._projection.index, RowEntries):
            folded.changes.clear()
        follow_rows(self._projection, self._rows.held, folded)
        self._begin_commit(folded, self.checkpoint.repaired(1), announces=self.announces)
        self.settle()
        self._rows.trim()

    def _begin_commit(self, folded: Folded[RowT], checkpoint: Checkpoint, *, announces: bool) -> None:
        anchor = folded.anchor or self.checkpoint.anchor
        held, counted = self._rows.held, self.checkpoint.rows
        began = [each for each, row in folded.rows.items() if row is not None and held.get(each) is None]
        gone = [each for each, row in folded.rows.items() if row is None]
        if counted is not None:
            counted += len(began) - sum(held.get(each) is not None for each in gone)
        blocked = self.streams.number_with(folded.blocks) if folded.blocks else checkpoint.blocked
        advanced = replace(
            checkpoint,
            position=folded.position,
            anchor=anchor,
            rows=counted,
            blocked=blocked,
            skips=self.streams.applied,
        )
        write = partial(self._write, folded=folded, began=began, gone=gone)
        self._fence.begin(advanced, write, announces=announces)
        self._repair.follow(held, folded.rows)
        self._rows.hold(folded.rows)
        self.streams.hold(folded.blocks)

    def _write(self, transaction: Transaction, folded: Folded[RowT], began: Sequence[str], gone: Sequence[str]) -> None:
        self._in_part = self._rows.write_changes(transaction, folded.rows)
        self.streams.write(transaction, folded.blocks)
        if self.checkpoint.rows is None:
            change_uncounted_indexes(transaction, self._keys, folded.changes.values())
            return
        if self._is_summed and not self.begun:
            begin_groups(transaction, self._keys)
        if folded.sums:
            change_groups(transaction, self._keys, folded.sums)
        list_rows(transaction, self._keys, began, gone)
        if folded.changes or not self.begun:
            change_indexes(transaction, self._keys, folded.changes.values())
