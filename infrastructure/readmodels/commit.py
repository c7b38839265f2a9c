"""The one place where rows and checkpoint move: together, in a Redis transaction that the checkpoint guards."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, Generic

import redis
from redis.client import Pipeline

from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable
from infrastructure.readmodels.fold import Folded, fold, touched
from infrastructure.readmodels.inventory import (
    KEPT,
    Comparison,
    change_indexes,
    change_uncounted_indexes,
    list_rows,
    missing,
)
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.rows import decode, encode, unknown_fields
from infrastructure.subscriptions.frames import Batch
from projections.projection import Projection, RowT

ROWS_HELD: Final = 20_000
"""Rows of a generation that are kept in memory, shared out among its partitions: the most recently used."""


class Partition(Generic[RowT]):
    """One partition of a read model: rows in Redis, the recent ones also here.

    The rows in memory are right as long as nobody else writes. That is checked: a commit takes effect only where the
    stored checkpoint is, byte for byte, the one that the batch was folded from; an absent one fits only a fold from the
    beginning.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        store: str,
        rows_held: int,
    ) -> None:
        self._redis = connection
        self._projection = projection
        self._keys = keys
        self._store = store
        self._rows_held = rows_held
        self._rows: OrderedDict[str, RowT | None] = OrderedDict()
        self._unknown_fields: dict[str, frozenset[bytes]] = {}
        self._stored: str | None = None
        self._holds_all = False  # whether a row that is not held is known not to exist
        self._checkpoint = _nothing_of(store)
        self._comparison = Comparison(connection, keys)

    def load(self) -> int | None:
        """Forgets the rows in memory and reads the stored checkpoint; its position, None to begin at the beginning.

        Raises CheckpointUnusable for a checkpoint of another store, NewerFormat for one of a later release.
        """
        self._forget()
        stored = _text(self._redis.get(self._keys.checkpoint))
        if stored is not None:
            self._checkpoint = self._parse(stored)
        self._stored, self._holds_all = stored, stored is None
        return self.position

    @property
    def position(self) -> int | None:
        """Up to where it is folded."""
        return self._checkpoint.position

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as it was last read or committed."""
        return self._checkpoint

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint."""
        return self._stored is not None

    def verify(self) -> None:
        """Raises CheckpointMoved when the stored checkpoint is no longer ours: on a quiet log nothing else shows it.

        And CheckpointUnusable where rows or entries are lost; a part of them is looked at each time.
        """
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.get(self._keys.checkpoint)
            pipeline.zcard(self._keys.ids)
            pipeline.hexists(self._keys.sizes, KEPT)
            stored, listed, sizes_kept = pipeline.execute()
        self._fit(stored)
        if self.begun and self._checkpoint.rows is not None:
            self._require_none(missing(self._checkpoint, listed, sizes_kept) or self._comparison.go_on())

    def apply(self, batch: Batch) -> bool:
        """Folds and commits what the batch adds to the checkpoint; whether it reached the end of the log.

        Raises CheckpointMoved, after which only `load` helps, and EventNotFolded after committing what came before.
        """
        self._fetch(touched(self._projection, batch, self.position))
        folded = fold(self._projection, self._rows, batch, self.position)
        if folded.position != self.position or (folded.caught_up and not self.begun):
            self._commit(folded)
        if folded.failure is not None:
            raise folded.failure
        return folded.caught_up

    def _fetch(self, aggregate_ids: Iterable[str]) -> None:
        absent = []
        for aggregate_id in aggregate_ids:
            if aggregate_id in self._rows:
                self._rows.move_to_end(aggregate_id)
            else:
                absent.append(aggregate_id)
        if self._holds_all:
            self._rows.update(dict.fromkeys(absent))
        elif absent:
            self._read(absent)

    def _read(self, absent: Sequence[str]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for aggregate_id in absent:
                pipeline.hgetall(self._keys.row(aggregate_id))
                pipeline.zscore(self._keys.ids, aggregate_id)
            replies = pipeline.execute()
        for aggregate_id, fields, listed in zip(absent, replies[::2], replies[1::2], strict=True):
            if not fields and listed is not None:
                self._require_none(f"the row {aggregate_id} is lost")
            self._rows[aggregate_id] = decode(self._projection.row, fields)
            if unknown := unknown_fields(self._projection.row, fields):
                self._unknown_fields[aggregate_id] = unknown

    def _commit(self, folded: Folded[RowT]) -> None:
        anchor = folded.anchor or self._checkpoint.anchor
        advanced = replace(self._checkpoint, position=folded.position, anchor=anchor, rows=self._counted(folded))
        checkpoint = str(advanced)
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.watch(self._keys.checkpoint)  # type: ignore[no-untyped-call]  # redis leaves it untyped
            self._fit(pipeline.get(self._keys.checkpoint))
            pipeline.multi()
            self._write_rows(pipeline, folded)
            change = change_uncounted_indexes if advanced.rows is None else change_indexes
            change(pipeline, self._keys, folded.changes.values())
            pipeline.set(self._keys.checkpoint, checkpoint)
            self._execute(pipeline, checkpoint)
        self._stored, self._checkpoint = checkpoint, advanced
        self._hold(folded)

    def _execute(self, pipeline: Pipeline, checkpoint: str) -> None:
        """Redis undoes nothing when a single command of a transaction fails: then the rows are no longer whole."""
        try:
            pipeline.execute()
        except redis.WatchError as error:
            expected = self._stored
            self._forget()
            raise CheckpointMoved(self._projection.name, expected, "another by now") from error
        except redis.ResponseError as error:
            if _text(self._redis.get(self._keys.checkpoint)) != checkpoint:
                raise
            raise CheckpointUnusable(self._projection.name, f"a part of a batch was refused: {error}") from error

    def _write_rows(self, pipeline: Pipeline, folded: Folded[RowT]) -> None:
        for aggregate_id, row in folded.rows.items():
            key = self._keys.row(aggregate_id)
            if row is None:
                pipeline.delete(key)
                continue
            if unknown := self._unknown_fields.get(aggregate_id):
                pipeline.hdel(key, *unknown)
            pipeline.hset(key, mapping=encode(row))
        if self._checkpoint.rows is not None:
            gone = [aggregate_id for aggregate_id, row in folded.rows.items() if row is None]
            list_rows(pipeline, self._keys, folded.rows.keys() - gone, gone)

    def _counted(self, folded: Folded[RowT]) -> int | None:
        """How many rows there will be; the rows of before are still held."""
        if self._checkpoint.rows is None:
            return None
        changes = [(self._rows.get(aggregate_id), row) for aggregate_id, row in folded.rows.items()]
        return self._checkpoint.rows + sum((after is not None) - (before is not None) for before, after in changes)

    def _hold(self, folded: Folded[RowT]) -> None:
        for aggregate_id, row in folded.rows.items():
            self._rows[aggregate_id] = row
            self._unknown_fields.pop(aggregate_id, None)
        while len(self._rows) > self._rows_held:
            self._holds_all = False
            evicted, _ = self._rows.popitem(last=False)
            self._unknown_fields.pop(evicted, None)

    def _fit(self, found: object) -> None:
        text = _text(found)
        if text != self._stored:
            expected = self._stored
            self._forget()
            raise CheckpointMoved(self._projection.name, expected, text)

    def _forget(self) -> None:
        self._rows.clear()
        self._unknown_fields.clear()
        self._stored, self._holds_all = None, False
        self._checkpoint = _nothing_of(self._store)

    def _require_none(self, loss: str | None) -> None:
        if loss is not None:
            raise CheckpointUnusable(self._projection.name, f"Redis has lost a part: {loss}")

    def _parse(self, stored: str) -> Checkpoint:
        try:
            checkpoint = Checkpoint.parse(stored)
        except ValueError as error:
            raise CheckpointUnusable(self._projection.name, f"the checkpoint {stored!r} can't be read") from error
        if checkpoint.store != self._store:
            raise CheckpointUnusable(self._projection.name, f"the checkpoint is of the store {checkpoint.store}")
        return checkpoint


def _nothing_of(store: str) -> Checkpoint:
    return Checkpoint(store, None, Anchor(), rows=0)


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
