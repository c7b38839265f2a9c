"""What a query read of one partition, and at which checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from infrastructure.readmodels.block_readers import BlockedStream
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.position_token import PositionToken, beginning_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartitionResult(Generic[T]):
    """What was read of one partition, and the checkpoint that was read with it.

    `later` is a place after the checkpoint up to which nothing happened in the partition, where that is known.
    `blocked` is the stream that the query is about, where it is about one and that is blocked: what was read is then
    the state before its block.
    """

    generation: Generation
    partition: int
    checkpoint: Checkpoint
    value: T
    later: PositionToken | None = None
    blocked: BlockedStream | None = None

    @property
    def position(self) -> int:
        """Up to where it is the state; 0 at the beginning."""
        reached = (self.checkpoint.position or 0) if self.later is None else self.later.position
        return reached if self.blocked is None else min(reached, max(0, self.blocked.block.position - 1))

    @property
    def token(self) -> PositionToken:
        """That place, with the event that is known to stand exactly there."""
        anchor, event = self.checkpoint.anchor, None
        if self.later is not None and self.later.position == self.position:
            event = self.later.event
        elif anchor is not None and anchor.event_id is not None and anchor.position == self.position:
            event = beginning_of(anchor.event_id)
        return PositionToken(self.position, event, beginning_of(self.generation.store))

    def known_at(self, place: PositionToken) -> "PartitionResult[T]":
        """The same as the state at that place, where nothing happened in the partition in between."""
        return self if self.position >= place.position else replace(self, later=place)


def lowest(results: Sequence[PartitionResult[Any]]) -> PositionToken:
    """The token of the partition that is furthest back."""
    return earliest([result.token for result in results])


def earliest(tokens: Sequence[PositionToken]) -> PositionToken:
    """The first of these places; one that names its event before one that doesn't."""
    return min(tokens, key=lambda token: (token.position, token.event is None))
