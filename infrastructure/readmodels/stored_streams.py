"""How far each stream of a partition is folded, and without what: the blocks and the skips behind what is stored."""

from collections.abc import Mapping
from typing import Final, Generic

import redis
import structlog

from domain.stream_name import category_in, row_key_of, stream_of_row
from infrastructure.readmodels.blocked_streams import waiting_behind
from infrastructure.readmodels.blocks import MOST_STREAMS, MOST_WAITING, Block
from infrastructure.readmodels.errors import CheckpointUnusable, TooManyBlocked
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.other_types import is_other_type
from infrastructure.readmodels.skips import Skips
from infrastructure.readmodels.stream_fold import Part, Refold, Refolded
from infrastructure.readmodels.texts import text_of
from projections.projection import Projection, RowT

_logger = structlog.get_logger()


class StoredStreams(Generic[RowT]):
    """What is stored is the fold of each stream up to the checkpoint or before its block, without what is skipped.

    `blocks` are by the keys of rows. `skips` are those that are applied, `applied` is the number of the first
    record of skips that is not. `before` has the absent versions of streams that not all of `skips` are applied to.
    `left_out` are skipped events, by stream and version, which this worker has left out itself.
    """

    def __init__(self, projection: Projection[RowT], keys: PartitionKeys, fence: Fence, refold: Refold[RowT]) -> None:
        self._projection: Final = projection
        self._keys: Final = keys
        self._fence: Final = fence
        self._refold: Final = refold
        self.blocks: Final[dict[str, Block]] = {}
        self.skips = Skips()
        self.applied = 0
        self.before: dict[str, frozenset[int]] = {}
        self.left_out: Final[set[tuple[str, int]]] = set()

    def load(self) -> None:
        """Reads the blocks; skips have to be applied next.

        Raises CheckpointUnusable where they are lost, NewerFormat for one of a later release, CheckpointMoved.
        """
        self.blocks.clear()
        self.left_out.clear()
        self.skips, self.before, self.applied = Skips(), {}, self._fence.checkpoint.skips
        if self._fence.checkpoint.blocked:
            self.blocks.update(self._stored())

    def _stored(self) -> Mapping[str, Block]:
        name, blocked = self._projection.name, self._fence.checkpoint.blocked
        try:
            [stored] = self._fence.read(lambda pipeline: pipeline.hgetall(self._keys.blocked))
            found = {text_of(row_key): Block.from_json(block) for row_key, block in stored.items()}
        except (redis.ResponseError, ValueError) as error:
            if isinstance(error, redis.ResponseError) and not is_other_type(error):
                raise  # nothing is lost, as where a slot of a cluster moves
            raise CheckpointUnusable(name, f"its blocked streams can't be read: {error}") from error
        if len(found) != blocked:
            raise CheckpointUnusable(name, f"{blocked} streams were blocked, {len(found)} are stored")
        return found

    def stream_of(self, row_key: str) -> str:
        """The stream's name."""
        return stream_of_row(self._projection.category, row_key)

    def concerns(self, stream: str) -> bool:
        """Whether a stream of that name is in the partition."""
        return category_in(stream) == self._projection.category and self._keys.hold(row_key_of(stream))

    def absent(self, stream: str) -> frozenset[int]:
        """The versions of a stream that what is stored leaves out."""
        return self.before[stream] if stream in self.before else self.skips.versions(stream)

    def refolded(self, row_key: str) -> Refolded[RowT]:
        """What the stream comes to as it has to be stored. Raises as `Refold`, and for a block that is not stored."""
        block = self.blocks.get(row_key)
        absent = self.absent(self.stream_of(row_key))
        found = self.fold(row_key, Part(absent, end=None if block is None else block.version))
        if found.block is not None:
            reason = f"{self.stream_of(row_key)} {found.block.version}: {found.block.error}: {found.block.reason}"
            raise CheckpointUnusable(self._projection.name, f"what is lost can't be mended: {reason}")
        return found

    def fold(self, row_key: str, part: Part) -> Refolded[RowT]:
        """What a part of a stream comes to at the checkpoint. Raises as `Refold`."""
        position = self._fence.checkpoint.position
        return self._refold(row_key, -1 if position is None else position, part)

    def number_with(self, changes: Mapping[str, Block | None]) -> int:
        """How many streams are blocked after these changes."""
        more = sum(block is not None and each not in self.blocks for each, block in changes.items())
        return len(self.blocks) + more - sum(block is None and each in self.blocks for each, block in changes.items())

    def require_room(self, changes: Mapping[str, Block | None]) -> None:
        """Raises TooManyBlocked where there may be no such blocks."""
        blocks = {each: block for each, block in {**self.blocks, **changes}.items() if block is not None}
        waiting = waiting_behind(blocks)
        if len(blocks) <= MOST_STREAMS and waiting <= MOST_WAITING:
            return
        row_key, block = next((each, block) for each, block in changes.items() if block is not None)
        reason = f"{len(blocks)} streams would be blocked, {waiting} records wait; {block.error}: {block.reason}"
        stream = self.stream_of(row_key)
        raise TooManyBlocked(self._projection.name, stream, block.version, block.position, reason)

    def write(self, transaction: Transaction, changes: Mapping[str, Block | None]) -> None:
        """Puts what stores these changes into a transaction."""
        there = [part for each, block in changes.items() if block for part in (each, block.to_json())]
        gone = [each for each, block in changes.items() if block is None]
        if there:
            transaction.add("HSET", self._keys.blocked, *there)
        if gone:
            transaction.add("HDEL", self._keys.blocked, *gone)

    def hold(self, changes: Mapping[str, Block | None]) -> None:
        """Holds these as they were stored; logs which streams are blocked from now on, or no longer."""
        for row_key, block in changes.items():
            before = self.blocks.pop(row_key, None)
            if block is not None:
                self.blocks[row_key] = block
            if block is None or before is None or before.version != block.version:
                self._log(row_key, block)

    def _log(self, row_key: str, block: Block | None) -> None:
        place = {"projection": self._keys.projection, "generation": self._keys.generation}
        told = {**place, "partition": self._keys.partition, "stream": self.stream_of(row_key)}
        if block is None:
            _logger.info("stream_unblocked", **told)
            return
        where = {"version": block.version, "position": block.position, "event_type": block.event_type}
        _logger.warning("stream_blocked", **told, **where, error=block.error, reason=block.reason)
