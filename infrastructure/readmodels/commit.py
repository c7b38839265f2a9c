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
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.rows import decode, encode, unknown_fields
from infrastructure.subscriptions.frames import Batch
from projections.projection import Add, IndexChange, Projection, Remove, RowT

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
        self._checkpoint = Checkpoint(store, None, Anchor())

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
        """Raises CheckpointMoved when the stored checkpoint is no longer ours: on a quiet log nothing else shows it."""
        self._fit(self._redis.get(self._keys.checkpoint))

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
        missing = []
        for aggregate_id in aggregate_ids:
            if aggregate_id in self._rows:
                self._rows.move_to_end(aggregate_id)
            else:
                missing.append(aggregate_id)
        if self._holds_all:
            self._rows.update(dict.fromkeys(missing))
        elif missing:
            self._read(missing)

    def _read(self, missing: Sequence[str]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for aggregate_id in missing:
                pipeline.hgetall(self._keys.row(aggregate_id))
            stored = pipeline.execute()
        for aggregate_id, fields in zip(missing, stored, strict=True):
            self._rows[aggregate_id] = decode(self._projection.row, fields)
            if unknown := unknown_fields(self._projection.row, fields):
                self._unknown_fields[aggregate_id] = unknown

    def _commit(self, folded: Folded[RowT]) -> None:
        advanced = replace(self._checkpoint, position=folded.position, anchor=folded.anchor or self._checkpoint.anchor)
        checkpoint = str(advanced)
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.watch(self._keys.checkpoint)  # type: ignore[no-untyped-call]  # redis leaves it untyped
            self._fit(pipeline.get(self._keys.checkpoint))
            pipeline.multi()
            self._write_rows(pipeline, folded)
            self._write_indexes(pipeline, folded.changes.values())
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

    def _write_indexes(self, pipeline: Pipeline, changes: Iterable[IndexChange]) -> None:
        for change in changes:
            match change:
                case Add(entry):
                    pipeline.zadd(self._keys.index(entry.index), {entry.member: entry.score})
                case Remove(entry):
                    pipeline.zrem(self._keys.index(entry.index), entry.member)

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
        self._checkpoint = Checkpoint(self._store, None, Anchor())

    def _parse(self, stored: str) -> Checkpoint:
        try:
            checkpoint = Checkpoint.parse(stored)
        except ValueError as error:
            raise CheckpointUnusable(self._projection.name, f"the checkpoint {stored!r} can't be read") from error
        if checkpoint.store != self._store:
            raise CheckpointUnusable(self._projection.name, f"the checkpoint is of the store {checkpoint.store}")
        return checkpoint


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
