"""One partition of a read model: batches are folded into its rows and committed; what Redis has lost is mended."""

from dataclasses import replace
from typing import Final, Generic

import redis
from redis.client import Pipeline

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.fold import Folded, fold, touched
from infrastructure.readmodels.held_rows import HeldRows
from infrastructure.readmodels.inventory import KEPT, change_indexes, change_uncounted_indexes, list_rows, missing
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.repair import Repair
from infrastructure.readmodels.stream_fold import Refold
from infrastructure.subscriptions.frames import Batch
from projections.projection import Projection, RowT

ROWS_HELD: Final = 20_000
"""Rows of a generation that are kept in memory, shared out among its partitions: the most recently used."""

MENDING_SECONDS: Final = 0.5
"""How long each look at what is stored may mend; the log is followed for as long in between."""


class Partition(Generic[RowT]):
    """Its worker is the only writer of its rows, which the fence proves at each commit."""

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        store: str,
        rows_held: int,
        refold: Refold[RowT],
    ) -> None:
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = keys
        self._fence: Final = Fence(connection, keys, store)
        self._rows: Final = HeldRows(connection, projection.row, keys, rows_held)
        self._repair: Final = Repair(connection, projection, keys, self._fence, self._rows, refold)

    def load(self) -> int | None:
        """Forgets the rows in memory and reads the stored checkpoint; its position, None to begin at the beginning.

        Raises CheckpointUnusable for a checkpoint of another store, NewerFormat for one of a later release.
        """
        self._rows.forget(none_exist=False)
        self._repair.forget()
        self._fence.load()
        self._rows.forget(none_exist=not self.begun)
        return self.position

    @property
    def position(self) -> int | None:
        """Up to where it is folded."""
        return self.checkpoint.position

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as it was last read or committed."""
        return self._fence.checkpoint

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint."""
        return self._fence.begun

    @property
    def mends(self) -> bool:
        """Whether something was found lost and is not mended yet."""
        return self._repair.waits

    def verify(self, seconds: float = MENDING_SECONDS) -> None:
        """Raises CheckpointMoved when the stored checkpoint is no longer ours: on a quiet log nothing else shows it.

        Looks at a part of the rows and indexes each time, and mends what is lost of them, for some `seconds`. Raises
        CheckpointUnusable where that can't be done, and what folding raises.
        """
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.get(self._keys.checkpoint)
            pipeline.zcard(self._keys.ids)
            pipeline.hexists(self._keys.sizes, KEPT)
            stored, listed, sizes_kept = pipeline.execute()
        self._fence.require(stored)
        if not self.begun or self.checkpoint.rows is None:
            return
        if (loss := missing(self.checkpoint, listed, sizes_kept)) is not None:
            raise CheckpointUnusable(self._projection.name, f"Redis has lost a part: {loss}")
        self._repair.go_on(seconds)

    def apply(self, batch: Batch) -> bool:
        """Folds and commits what the batch adds to the checkpoint; whether it reached the end of the log.

        Lost rows that it needs are mended first. Raises CheckpointMoved, after which only `load` helps, and
        EventNotFolded after committing what came before.
        """
        lost = self._rows.fetch(touched(self._projection, batch, self.position))
        self._rows.hold(self._repair.mend(lost))
        folded = fold(self._projection, self._rows.held, batch, self.position)
        if folded.position != self.position or (folded.caught_up and not self.begun):
            self._commit(folded)
        self._rows.trim()
        if folded.failure is not None:
            raise folded.failure
        return folded.caught_up

    def _commit(self, folded: Folded[RowT]) -> None:
        anchor = folded.anchor or self.checkpoint.anchor
        advanced = replace(self.checkpoint, position=folded.position, anchor=anchor, rows=self._counted(folded))
        self._fence.move(advanced, lambda pipeline: self._write(pipeline, folded))
        self._rows.hold(folded.rows)

    def _write(self, pipeline: Pipeline, folded: Folded[RowT]) -> None:
        self._rows.write(pipeline, folded.rows)
        if self.checkpoint.rows is None:
            change_uncounted_indexes(pipeline, self._keys, folded.changes.values())
            return
        gone = [aggregate_id for aggregate_id, row in folded.rows.items() if row is None]
        list_rows(pipeline, self._keys, folded.rows.keys() - gone, gone)
        change_indexes(pipeline, self._keys, folded.changes.values())

    def _counted(self, folded: Folded[RowT]) -> int | None:
        """How many rows there will be; the rows of before are still held."""
        if self.checkpoint.rows is None:
            return None
        changes = [(self._rows.held.get(aggregate_id), row) for aggregate_id, row in folded.rows.items()]
        return self.checkpoint.rows + sum((after is not None) - (before is not None) for before, after in changes)
