"""The one place where rows and checkpoint move: together, in a Redis transaction that the checkpoint guards."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import redis
from redis.client import Pipeline

from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.commit_announcements import announcement, channel_of
from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable
from infrastructure.readmodels.guarded_connection import GuardedConnection, Transaction
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.texts import text_of


class Fence:
    """A partition's stored checkpoint as its worker knows it, and the transactions that it guards.

    One takes effect only where the stored checkpoint is, byte for byte, the one that the worker started from; an absent
    one fits only a start from the beginning. After one that failed all raise CheckpointMoved, until `load`.
    """

    def __init__(self, connection: redis.Redis, keys: PartitionKeys, store: str) -> None:
        self._redis: Final = connection
        self._connection: Final = GuardedConnection(connection, keys.checkpoint)
        self._keys: Final = keys
        self._store: Final = store
        self._stored: str | None = None
        self._moving: tuple[Checkpoint, str, bool] | None = None
        self._void = False
        self._checkpoint = self._nothing

    def load(self) -> None:
        """Reads the checkpoint.

        Raises CheckpointUnusable for one of another store, or of a generation of the same number with other partitions,
        which a failover of a cluster has made forgotten; NewerFormat for one of a later release.
        """
        self._stored, self._moving, self._checkpoint, self._void = None, None, self._nothing, True
        self._connection.close()  # what it has watched may be long past
        value = self._connection.watched()
        stored = None if value is None else text_of(value)
        if stored is not None:
            self._checkpoint = self._parse(stored)
        self._stored, self._void = stored, False

    @property
    def checkpoint(self) -> Checkpoint:
        """As it was last read or moved, or where it is being moved to."""
        return self._checkpoint if self._moving is None else self._moving[0]

    @property
    def is_moving(self) -> bool:
        """Whether a move was begun and is not finished."""
        return self._moving is not None

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint, or will be one."""
        return self._stored is not None or self._moving is not None

    def require(self, found: bytes | str | None) -> None:
        """Raises CheckpointMoved where what was found stored is not what this worker knows."""
        text = None if found is None else text_of(found)
        if self._void or text != self._stored:
            self._void = True
            raise CheckpointMoved(self._keys.projection, self._stored, text)

    def read(self, put: Callable[[Pipeline], object]) -> list[Any]:
        """The replies to what `put` puts into a transaction, all at the known checkpoint. Raises CheckpointMoved."""
        with self._redis.pipeline(transaction=True) as pipeline:
            put(pipeline)
            pipeline.get(self._keys.checkpoint)
            *replies, stored = pipeline.execute()
        self.require(stored)
        return replies

    def move(self, to: Checkpoint, write: Callable[[Transaction], object]) -> Sequence[Any]:
        """Moves the checkpoint, and does what `write` puts into the transaction; the replies to that.

        Raises CheckpointMoved, and then nothing was written.
        """
        self.begin(to, write)
        return self.finish()

    def begin(self, to: Checkpoint, write: Callable[[Transaction], object], *, announces: bool = False) -> None:
        """Sends such a move without waiting for its replies; `finish` has to follow. Raises CheckpointMoved.

        What `announces` is told of where it takes effect, to those who wait for it.
        """
        stored = str(to)
        self.require(self._connection.watched())
        transaction = Transaction(self._keys.expires_at)
        write(transaction)
        transaction.expire()
        end = () if self._keys.expires_at is None else ("PXAT", self._keys.expires_at)
        transaction.add("SET", self._keys.checkpoint, stored, *end)
        if announces:
            transaction.add("PUBLISH", channel_of(self._keys.namespace), announcement(self._keys, to.position))
        self._connection.send(transaction)
        self._moving = to, stored, announces

    def finish(self) -> Sequence[Any]:
        """The replies to what was begun. Raises CheckpointMoved, and then nothing was written.

        After whatever it raises only `load` helps: the worker may hold what was not committed.
        """
        assert self._moving is not None
        (to, stored, announced), self._moving, self._void = self._moving, None, True
        replies = self._connection.finish()
        if replies is None:
            raise CheckpointMoved(self._keys.projection, self._stored, "another by now")
        written = replies[:-1] if announced else replies
        self._require_whole(written)
        self._stored, self._checkpoint, self._void = stored, to, False
        return written[:-1]

    def close(self) -> None:
        """Ends its connection; the next use begins another."""
        self._connection.close()

    def _require_whole(self, replies: Sequence[Any]) -> None:
        """Redis undoes nothing when a single command of a transaction fails: then the rows are no longer whole."""
        refused = next((reply for reply in replies if isinstance(reply, Exception)), None)
        if refused is not None:
            reason = f"a part of a transaction was refused: {refused}"
            raise CheckpointUnusable(self._keys.projection, reason) from refused

    @property
    def _nothing(self) -> Checkpoint:
        return Checkpoint(self._store, None, Anchor(), rows=0, partitions=self._keys.partitions)

    def _parse(self, stored: str) -> Checkpoint:
        try:
            checkpoint = Checkpoint.parse(stored)
        except ValueError as error:
            raise CheckpointUnusable(self._keys.projection, f"the checkpoint {stored!r} can't be read") from error
        if checkpoint.store != self._store:
            raise CheckpointUnusable(self._keys.projection, f"the checkpoint is of the store {checkpoint.store}")
        known = self._keys.partitions
        if known is not None and checkpoint.partitions not in {None, known}:
            reason = f"the checkpoint is of a generation of {checkpoint.partitions} partitions instead of {known}"
            raise CheckpointUnusable(self._keys.projection, reason)
        return checkpoint
