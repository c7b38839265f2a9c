"""Whether a projection's lag grows while it is folded: told from looks at it that lie some seconds apart."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from infrastructure.readmodels.backlog import Lag

SECONDS_APART: Final = 3.0
"""Two looks that are less far apart say nothing."""
_WINDOW: Final = 10.0


class _Look(NamedTuple):
    at: float
    position: int
    lag: Lag


class Trend:
    """Compares a look with one of ten seconds before, or with the oldest there is, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._looks: Final[deque[_Look]] = deque()

    def grows(self, position: int, lag: Lag | None) -> bool:
        """Whether the lag has grown though the checkpoints have moved; `position` is the sum of all of them.

        By events where both were counted, else by the positions of the log that are left: estimates would tell nothing.
        """
        if lag is None:
            return False
        now = _Look(self._clock(), position, lag)
        self._looks.append(now)
        while len(self._looks) > 1 and self._looks[1].at <= now.at - _WINDOW:
            self._looks.popleft()
        before = self._looks[0]
        if now.at - before.at < SECONDS_APART or position <= before.position:
            return False
        if lag.exact and before.lag.exact:
            return lag.events > before.lag.events
        return lag.distance > before.lag.distance
