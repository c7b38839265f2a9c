"""Bounds how many refusals of those without a valid token have an entry each; further ones are counted."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

OTHERS: Final = "other addresses"
"""Stands for those that are not counted by themselves."""
_WINDOW: Final = 60.0  # seconds
_OF_ONE: Final = 32
_OF_ALL: Final = 256
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Refused:
    """An action, and the address of those to whom it was refused."""

    address: str
    action: str


class RefusalCounts:
    """In each window the first refusals, `of_one` address and `of_all`, have an entry each.

    Further ones are counted, by address and action, `most` of those, and beyond them for all other addresses together.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        *,
        of_one: int = _OF_ONE,
        of_all: int = _OF_ALL,
        most: int = _MOST,
    ) -> None:
        self._clock: Final = clock
        self._of_one: Final = of_one
        self._of_all: Final = of_all
        self._most: Final = most
        self._ends = clock() + _WINDOW
        self._entries = Counter[str]()
        self._left = of_all
        self._counted = Counter[Refused]()

    def has_entry(self, refused: Refused) -> bool:
        """Whether this one is put on record by itself; else it is counted."""
        if self._left and self._entries[refused.address] < self._of_one:
            self._entries[refused.address] += 1
            self._left -= 1
            return True
        self.add(refused, 1)
        return False

    def add(self, refused: Refused, times: int) -> None:
        """Counts it so many times more, as where that could not be put on record."""
        is_known = refused in self._counted or len(self._counted) < self._most
        self._counted[refused if is_known else Refused(OTHERS, refused.action)] += times

    def due(self) -> Sequence[tuple[Refused, int]]:
        """What was counted, once its window has ended, and no more then."""
        return self.all_counted() if self._clock() >= self._ends else ()

    def all_counted(self) -> Sequence[tuple[Refused, int]]:
        """What was counted, and no more; the next window begins."""
        taken = list(self._counted.items())
        self._ends, self._left = self._clock() + _WINDOW, self._of_all
        self._entries.clear()
        self._counted.clear()
        return taken
