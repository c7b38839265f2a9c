"""Shares a stream among the processes that append to it: whoever has the lead leaves it to the others after a slice."""

from random import uniform
from typing import Final

_REMEMBERED: Final = 1.0  # seconds since the last lost race
_EXTRA: Final = 6
_LONGEST_SLICE: Final = 512
_REST: Final = 8.0  # appends' time: a rival reads the stream's tail and appends once or twice meanwhile
_LONGEST_PAUSE: Final = 16.0  # appends' time
_HALVED_AFTER: Final = 8.0  # appends' time
_APPEND_SECONDS: Final = 0.002
_LONGEST_APPEND: Final = 0.025  # seconds; an append that takes longer says more about the store than about a race
_WEIGHT: Final = 0.125


class Rivalry:
    """What one process knows of others that append to one stream. Times are those of one monotonic clock, in seconds.

    A lost race is the sign of a rival, for a second. While there are rivals, those who wait when this process takes
    the lead, and a few more, have a slice; then the stream is left alone for some appends' time. Slices double as long
    as nobody takes the lead meanwhile. A process that has lost no race takes the longest slices: a rival that it knows
    nothing of, since it always loses, would else be kept out for ever.
    """

    __slots__ = ("_append_seconds", "_known_until", "_left_in_slice", "_resumes", "_unclaimed_slices", "_was_known")

    def __init__(self) -> None:
        self._known_until = 0.0
        self._was_known = False
        self._left_in_slice = 0
        self._unclaimed_slices = 0
        self._resumes = 0.0
        self._append_seconds = _APPEND_SECONDS

    def win(self, now: float, took: float, waiting: int) -> None:
        """An append took effect; so many wait for their turn in this process, the one that appended included."""
        self._measure(took)
        if self._left_in_slice == 0:
            self._left_in_slice = self._slice(waiting) if now < self._known_until else _LONGEST_SLICE
        self._left_in_slice -= 1
        if self._left_in_slice == 0:
            self._unclaimed_slices += 1
            self._resumes = now + _REST * self._append_seconds

    def lose(self, now: float, took: float) -> None:
        """An append found that others had appended."""
        self._measure(took)
        self._was_known = now < self._known_until
        self._known_until = now + _REMEMBERED
        self._left_in_slice = self._unclaimed_slices = 0
        self._resumes = 0.0

    def rest(self, now: float) -> float:
        """How long the stream is still left alone."""
        return max(0.0, self._resumes - now)

    def pause(self, waited: float) -> float:
        """How long a command that lost waits before it tries again: the longer it has `waited`, the shorter.

        The first sign of a rival costs no pause, as there may be no further one.
        """
        if not self._was_known:
            return 0.0
        unit = self._append_seconds
        return uniform(0.0, max(unit, _LONGEST_PAUSE * unit / (1.0 + waited / (_HALVED_AFTER * unit))))

    def _slice(self, waiting: int) -> int:
        return min((waiting + _EXTRA) << min(self._unclaimed_slices, 16), _LONGEST_SLICE)

    def _measure(self, took: float) -> None:
        self._append_seconds += _WEIGHT * (min(took, _LONGEST_APPEND) - self._append_seconds)
