"""The tree of a correlation as a list, each command after what caused it: a saga's chain has no bounded depth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from infrastructure.history.trace import Asked


@dataclass(frozen=True, slots=True)
class Placed:
    """A command in the tree: how far below the root it stands, and the event of the tree that caused it."""

    asked: Asked
    depth: int
    caused_by: UUID | None


def in_order(roots: Sequence[Asked]) -> Iterator[Placed]:
    """Every command of the tree, followed at once by all that follows from it."""
    rest = [Placed(asked, 0, None) for asked in reversed(roots)]
    while rest:
        placed = rest.pop()
        yield placed
        caused = [
            Placed(asked, placed.depth + 1, told.record.id) for told in placed.asked.left for asked in told.caused
        ]
        rest += reversed(caused)
