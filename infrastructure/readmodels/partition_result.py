"""What a query read of one partition, and at which checkpoint."""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from infrastructure.readmodels.generations import Generation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartitionResult(Generic[T]):
    """What was read of one partition, and the checkpoint that was read with it (None: at the beginning)."""

    generation: Generation
    partition: int
    checkpoint: int | None
    value: T

    @property
    def position(self) -> int:
        return self.checkpoint or 0

    def known_at(self, position: int) -> "PartitionResult[T]":
        """The same as the state at that position, where nothing happened in the partition in between."""
        return self if self.position >= position else replace(self, checkpoint=position)
