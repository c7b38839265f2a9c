"""The blocked streams of a partition while a batch is folded: more become so, more records wait, within bounds."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from domain.value import changed
from infrastructure.readmodels.blocks import MOST_STREAMS, MOST_WAITING, Block
from infrastructure.readmodels.errors import TooManyBlocked
from infrastructure.subscriptions.frames import Happened, Unreadable


class BlockedStreams:
    """Begins with those that stand. `blocks` are all by the keys of their rows, `changed` what the batch adds."""

    def __init__(self, projection: str, standing: Mapping[str, Block]) -> None:
        self._projection: Final = projection
        self.blocks: Final = dict(standing)
        self.changed: Final[dict[str, Block]] = {}
        self._waiting = waiting_behind(standing)

    def block(self, frame: Happened | Unreadable, error: BaseException) -> None:
        """The stream goes no further than before this record. Raises TooManyBlocked."""
        if len(self.blocks) >= MOST_STREAMS:
            raise TooManyBlocked(self._projection, frame.stream, frame.version, frame.position, _streams_and(error))
        self._keep(frame.row_key, block_of(frame, error))

    def wait(self, frame: Happened | Unreadable) -> None:
        """The record waits behind the block of its stream. Raises TooManyBlocked."""
        if self._waiting >= MOST_WAITING:
            reason = f"{MOST_WAITING} records wait behind blocked streams"
            raise TooManyBlocked(self._projection, frame.stream, frame.version, frame.position, reason)
        self._waiting += 1
        block = self.blocks[frame.row_key]
        self._keep(frame.row_key, changed(block, waiting=block.waiting + 1))

    def _keep(self, row_key: str, block: Block) -> None:
        self.blocks[row_key] = self.changed[row_key] = block


def block_of(frame: Happened | Unreadable, error: BaseException) -> Block:
    """The block of a stream whose next record this is, since now."""
    return Block(
        version=frame.version,
        position=frame.position,
        event_id=frame.event_id,
        event_type=frame.event_type,
        error=type(error).__name__,
        reason=str(error),
        since=datetime.now(UTC),
    )


def waiting_behind(blocks: Mapping[str, Block]) -> int:
    """How many records wait behind all of them."""
    return sum(block.waiting for block in blocks.values())


def _streams_and(error: BaseException) -> str:
    return f"{MOST_STREAMS} streams are blocked already, and {type(error).__name__}: {error}"
