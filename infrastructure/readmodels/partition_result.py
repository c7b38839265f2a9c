"""What a query was told by one partition."""

from dataclasses import dataclass
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
