"""Compares the rows and index entries of streams with what the streams come to, and mends them under the fence."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

import redis

from domain.stream_name import stream_of_row
from infrastructure.audits.audited_folds import AuditedFolds
from infrastructure.audits.stream_look import StreamLook
from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import (
    CheckpointMoved,
    CheckpointUnusable,
    NewerFormat,
    ReadModelUnavailable,
    TooManyBlocked,
)
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.other_types import is_other_type, readable
from infrastructure.readmodels.stream_fold import Refolded
from infrastructure.readmodels.texts import text_of
from projections.projection import Projection, RowT

ATTEMPTS: Final = 100
"""A worker that is busy moves its checkpoint some hundred times a second; a look takes some milliseconds."""
UNSTEADY: Final = "the checkpoint moves all the time"
RIGHT: Final = "is right by now"
_ENTRIES_AT_ONCE: Final = 1_000
T = TypeVar("T")


class StreamAudit(Generic[RowT]):
    """Of one partition. Rows are read together with the checkpoint, in one transaction: that tells how far to fold.

    Which entries a stream accounts for is known only then. Where the checkpoint has moved meanwhile and an entry
    differs, all of it is looked at again.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        fence: Fence,
        folds: AuditedFolds[RowT],
        reader: LogReader,
    ) -> None:
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = keys
        self._fence: Final = fence
        self._folds: Final = folds
        self._reader: Final = reader

    def look(self, row_keys: Sequence[str]) -> Iterator[StreamLook[RowT]]:
        """A look at each of these. Raises ReadModelUnavailable where the checkpoint moves all the time."""
        waiting = row_keys
        for _ in range(ATTEMPTS):
            if not waiting:
                return
            looks, steady = self._look_at(waiting)
            moved = [each for each in looks if not steady and self.found(each)]
            waiting = [each.row_key for each in moved]
            yield from (each for each in looks if each not in moved)
        if waiting:
            raise ReadModelUnavailable(self._projection.name, UNSTEADY)

    def found(self, look: StreamLook[RowT]) -> list[Any]:
        """What differs."""
        return look.found(self._projection, self._keys)

    def mend(self, row_key: str) -> str:
        """Looks once more, and mends what differs, behind the fence; what came of it."""
        return self.steadily(partial(self._mended, row_key), otherwise=UNSTEADY)

    def _mended(self, row_key: str) -> str | None:
        [look], steady = self._look_at([row_key])
        if not steady:
            return None
        if look.unverified is not None:
            return look.unverified
        if not (found := self.found(look)):
            return RIGHT
        self._fence.move(self._fence.checkpoint.repaired(len(found)), partial(look.put_right, self._keys))
        return "repaired"

    def steadily(self, look: Callable[[], T | None], *, otherwise: T | None = None) -> T:
        """What it finds. It is called anew, at the checkpoint of by then, while that moves: it finds None, or raises
        CheckpointMoved. Raises ReadModelUnavailable where that never ends and there is nothing to say `otherwise`.
        """
        for _ in range(ATTEMPTS):
            self.load()
            with suppress(CheckpointMoved):
                if (found := look()) is not None:
                    return found
        if otherwise is None:
            raise ReadModelUnavailable(self._projection.name, UNSTEADY)
        return otherwise

    def refold(self, row_key: str) -> tuple[Refolded[RowT], str | None]:
        """What the stream comes to at the checkpoint that the fence knows; or why that can't be told.

        Raises CheckpointMoved.
        """
        [block] = self._fence.read(lambda pipeline: pipeline.hget(self._keys.blocked, row_key))
        return self.refold_at(row_key, block, self._fence.checkpoint)

    def refold_at(self, row_key: str, stored: bytes | None, at: Checkpoint) -> tuple[Refolded[RowT], str | None]:
        """The same at any checkpoint; up to before its block, where one is stored."""
        if not self._keys.hold(row_key):
            return Refolded(), None
        try:
            block = None if stored is None else Block.from_json(stored)
            refolded = self._folds.fold(row_key, at, block)
        except CheckpointUnusable as error:
            return Refolded(), self._loss(row_key, error.detail)
        except (ValueError, NewerFormat, TooManyBlocked) as error:
            return Refolded(), str(error)
        return refolded, None if refolded.block is None else f"{refolded.block.error}: {refolded.block.reason}"

    @property
    def position(self) -> int:
        """That of the checkpoint that the fence knows; before the first event of the log where it has none."""
        position = self._fence.checkpoint.position
        return -1 if position is None else position

    def load(self) -> None:
        """Reads the checkpoint. Raises ReadModelUnavailable where there is none, and what `Fence.load` raises."""
        self._fence.load()
        if not self._fence.begun:
            raise ReadModelUnavailable(self._projection.name, "the live generation has lost a checkpoint")

    def _look_at(self, row_keys: Sequence[str]) -> tuple[list[StreamLook[RowT]], bool]:
        """A look at each, and whether the checkpoint is still the one at which the rows were read."""
        looks = self._rows(row_keys)
        for look in looks:
            look.refolded, look.unverified = self.refold_at(look.row_key, look.block, self._fence.checkpoint)
        steady = [self._read_scores(look) for look in looks]
        return looks, all(steady)

    def _rows(self, row_keys: Sequence[str]) -> list[StreamLook[RowT]]:
        return self.steadily(partial(self._rows_now, row_keys))

    def _rows_now(self, row_keys: Sequence[str]) -> list[StreamLook[RowT]]:
        with self._redis.pipeline(transaction=True) as pipeline:
            for row_key in row_keys:
                pipeline.hgetall(self._keys.row(row_key))
                pipeline.zscore(self._keys.ids, row_key)
                pipeline.hget(self._keys.blocked, row_key)
            pipeline.get(self._keys.checkpoint)
            *replies, stored = readable(pipeline.execute(raise_on_error=False))
        self._fence.require(stored)
        found = zip(row_keys, replies[::3], replies[1::3], replies[2::3], strict=True)
        return [self._begun(*each) for each in found]

    def _begun(self, row_key: str, fields: Any, score: Any, block: Any) -> StreamLook[RowT]:
        """A look without what the stream comes to."""
        for reply in (score, block):
            if is_other_type(reply):
                raise reply
        listed = None if self._fence.checkpoint.rows is None else score is not None
        if not is_other_type(fields):
            return StreamLook(row_key, self.position, fields, listed, block)
        other = {"": self._type(self._keys.row(row_key))}
        return StreamLook(row_key, self.position, {}, listed, block, other_types=other)

    def _type(self, key: str) -> str:
        return text_of(self._redis.type(key))

    def _read_scores(self, look: StreamLook[RowT]) -> bool:
        """Whether the checkpoint is still the known one."""
        scores: dict[tuple[str, str], float | None] = {}
        steady = True
        changes = list(look.refolded.changes)
        for first in range(0, len(changes), _ENTRIES_AT_ONCE):
            places = changes[first : first + _ENTRIES_AT_ONCE]
            with self._redis.pipeline(transaction=True) as pipeline:
                for index, member in places:
                    pipeline.zscore(self._keys.index(index), member)
                pipeline.get(self._keys.checkpoint)
                *replies, stored = readable(pipeline.execute(raise_on_error=False))
            for place, score in zip(places, replies, strict=True):
                scores[place] = None if is_other_type(score) else score
                if is_other_type(score) and place[0] not in look.other_types:
                    look.other_types[place[0]] = self._type(self._keys.index(place[0]))
            steady = steady and self._is_known(stored)
        look.scores = scores
        return steady

    def _is_known(self, stored: Any) -> bool:
        try:
            self._fence.require(stored)
        except CheckpointMoved:
            return False
        return True

    def _loss(self, row_key: str, reason: str) -> str | None:
        """Why a stream can't be folded whose beginning is not there; None where there never was such a stream."""
        stream = stream_of_row(self._projection.category, row_key)
        try:
            kept = self._reader.page(stream, None, 1, backwards=True)
            shortened = self._reader.page(f"$${stream}", None, 1, backwards=True)
        except StreamGone:
            return reason
        return reason if kept or shortened else None
