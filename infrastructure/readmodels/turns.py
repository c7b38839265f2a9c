"""Lets the followers of a process that matter more go first, while there is more to fold than it can do at once."""

import threading
from typing import Final

_SECONDS: Final = 0.2


class Turns:
    """A follower waits before a batch while one of a smaller rank is behind.

    It waits `seconds` at most for each batch: whatever becomes of the others, it is slowed down and never stopped.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds: Final = seconds
        self._change: Final = threading.Condition()
        self._behind: Final[dict[object, int]] = {}

    def wait(self, follower: object, rank: int, *, behind: bool) -> None:
        """Waits for its turn. With `behind` those of larger ranks wait for it, until it says otherwise or leaves."""
        with self._change:
            if behind:
                self._behind[follower] = rank
            elif self._behind.pop(follower, None) is not None:
                self._change.notify_all()
            self._change.wait_for(lambda: all(rank <= other for other in self._behind.values()), self._seconds)

    def leave(self, follower: object) -> None:
        """Nobody waits for it any more."""
        with self._change:
            if self._behind.pop(follower, None) is not None:
                self._change.notify_all()
