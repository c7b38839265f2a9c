"""The position up to which a partition is folded, and of which event store: it guards every commit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything up to `position` of the store is folded; None where nothing of the log was of interest so far."""

    store: str
    position: int | None

    def __str__(self) -> str:
        return f"{self.store}:{'start' if self.position is None else self.position}"

    @staticmethod
    def parse(text: str) -> "Checkpoint":
        """The inverse of `str`; raises ValueError for anything else."""
        store, _, position = text.rpartition(":")
        if position == "start":
            return Checkpoint(store, None)
        return Checkpoint(store, int(position))
