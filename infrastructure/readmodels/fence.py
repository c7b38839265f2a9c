"""The one place where rows and checkpoint move: together, in a Redis transaction that the checkpoint guards."""

from collections.abc import Callable
from typing import Any, Final

import redis
from redis.client import Pipeline

from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable
from infrastructure.readmodels.keys import PartitionKeys


class Fence:
    """A partition's stored checkpoint as its worker knows it, and the transactions that it guards.

    One takes effect only where the stored checkpoint is, byte for byte, the one that the worker started from; an absent
    one fits only a start from the beginning. After CheckpointMoved all raise it again, until `load`.
    """

    def __init__(self, connection: redis.Redis, keys: PartitionKeys, store: str) -> None:
        self._redis: Final = connection
        self._keys: Final = keys
        self._store: Final = store
        self._stored: str | None = None
        self._void = False
        self._checkpoint = self._nothing

    def load(self) -> None:
        """Reads the checkpoint.

        Raises CheckpointUnusable for one of another store, NewerFormat for one of a later release.
        """
        self._stored, self._checkpoint, self._void = None, self._nothing, True
        stored = _text(self._redis.get(self._keys.checkpoint))
        if stored is not None:
            self._checkpoint = self._parse(stored)
        self._stored, self._void = stored, False

    @property
    def checkpoint(self) -> Checkpoint:
        """As it was last read or moved."""
        return self._checkpoint

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint."""
        return self._stored is not None

    def require(self, found: object) -> None:
        """Raises CheckpointMoved where what was found stored is not what this worker knows."""
        text = _text(found)
        if self._void or text != self._stored:
            self._void = True
            raise CheckpointMoved(self._keys.projection, self._stored, text)

    def move(self, to: Checkpoint, write: Callable[[Pipeline], object]) -> list[Any]:
        """Moves the checkpoint, and does what `write` puts into the transaction; its replies.

        Raises CheckpointMoved, and then nothing was written.
        """
        stored = str(to)
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.watch(self._keys.checkpoint)  # type: ignore[no-untyped-call]  # redis leaves it untyped
            self.require(pipeline.get(self._keys.checkpoint))
            pipeline.multi()
            write(pipeline)
            pipeline.set(self._keys.checkpoint, stored)
            replies = self._execute(pipeline, stored)
        self._stored, self._checkpoint = stored, to
        return replies[:-1]

    def _execute(self, pipeline: Pipeline, stored: str) -> list[Any]:
        """Redis undoes nothing when a single command of a transaction fails: then the rows are no longer whole."""
        try:
            return pipeline.execute()
        except redis.WatchError as error:
            self._void = True
            raise CheckpointMoved(self._keys.projection, self._stored, "another by now") from error
        except redis.ResponseError as error:
            if _text(self._redis.get(self._keys.checkpoint)) != stored:
                raise
            reason = f"a part of a transaction was refused: {error}"
            raise CheckpointUnusable(self._keys.projection, reason) from error

    @property
    def _nothing(self) -> Checkpoint:
        return Checkpoint(self._store, None, Anchor(), rows=0)

    def _parse(self, stored: str) -> Checkpoint:
        try:
            checkpoint = Checkpoint.parse(stored)
        except ValueError as error:
            raise CheckpointUnusable(self._keys.projection, f"the checkpoint {stored!r} can't be read") from error
        if checkpoint.store != self._store:
            raise CheckpointUnusable(self._keys.projection, f"the checkpoint is of the store {checkpoint.store}")
        return checkpoint


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
