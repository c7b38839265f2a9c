"""The events of one partition that are not folded yet, as far as the log was read for them: pure."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_COUNTED: Final = 10_000
"""Events of a partition that are counted one by one; what lies beyond is estimated."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How many events are not folded, and for how many seconds the oldest of them has been in the log.

    `exact` where all were counted; else `events` is an estimate. `distance` is how many positions lie between the
    checkpoint and the end of the log, of whatever streams. A partition without an unfolded event has no lag.
    """

    events: int
    seconds: float
    exact: bool
    distance: int


class Backlog:
    """What is known of it is kept from one look to the next: only what the log has got since then is read.

    `start` is where to read on from, None: at the beginning. Places are positions and times, eight bytes each.
    """

    def __init__(self) -> None:
        self.start: int | None = None
        self._checkpoint: int | None = None
        self._positions: Final = array("q")
        self._times: Final = array("d")

    def move(self, checkpoint: int | None, end: int) -> None:
        """The partition is folded up to the checkpoint, and the log ends there."""
        place = _place(checkpoint)
        if place < _place(self._checkpoint) or _place(self.start) > max(end, place):  # an older copy of either server's
            self._forget()
        self._checkpoint = checkpoint
        folded = bisect_right(self._positions, place)
        del self._positions[:folded], self._times[:folded]
        if _place(self.start) < place:
            self.start = checkpoint

    def wants(self, end: int) -> bool:
        """Whether there is something in the log that was not looked at, and room to remember it."""
        return _place(self.start) < end and len(self._positions) < MOST_COUNTED

    def add(self, places: Iterable[tuple[int, float]], until: int) -> None:
        """These are the next events of the partition, each with its position and time, up to that position.

        Where there are more than can be remembered, it ends with the last of those that are.
        """
        taken = list(places)[: MOST_COUNTED - len(self._positions)]
        self._positions.extend(position for position, _ in taken)
        self._times.extend(time for _, time in taken)
        is_full = len(self._positions) == MOST_COUNTED
        self.start = self._positions[-1] if is_full else max(until, _place(self.start))

    def lag(self, end: int, now: float) -> Lag | None:
        """The lag at that time, where the log ends there; None where nothing is known of it yet."""
        place, events = _place(self._checkpoint), len(self._positions)
        exact = _place(self.start) >= end
        if not exact and not events:
            return None
        seconds = max(0.0, now - self._times[0]) if events else 0.0
        distance = max(0, end - max(place, 0))
        if not exact:
            # the same share of the log as up to there, by positions: it holds where its streams keep their share
            events = round(events * distance / max(1, _place(self.start) - max(place, 0)))
        return Lag(events, seconds, exact, distance)

    def _forget(self) -> None:
        del self._positions[:], self._times[:]
        self.start = None


def total(lags: Sequence[Lag | None]) -> Lag | None:
    """The lag of all partitions together: the sum of the events, the age of the oldest; None where none is known."""
    known = [lag for lag in lags if lag is not None]
    if not known:
        return None
    return Lag(
        events=sum(lag.events for lag in known),
        seconds=max(lag.seconds for lag in known),
        exact=len(known) == len(lags) and all(lag.exact for lag in known),
        distance=sum(lag.distance for lag in known),
    )


def _place(position: int | None) -> int:
    """The position as a number; before the beginning is -1."""
    return -1 if position is None else position
