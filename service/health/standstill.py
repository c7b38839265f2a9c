"""Measures for how long something that ought to move has been seen at one place."""

from collections.abc import Callable, Hashable
from typing import Final


class Standstill:
    """How long it has been at its place, as far as this process has seen. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock: Final = clock
        self._place: Hashable | None = None
        self._since = 0.0

    def seconds_at(self, place: Hashable | None) -> float:
        """How long it has been at this place; 0 at another than before, and for None, which is no place."""
        now = self._clock()
        if place is None or place != self._place:
            self._place, self._since = place, now
        return now - self._since

    def forget(self) -> None:
        """Begins anew: what was seen before counts no more."""
        self._place = None
