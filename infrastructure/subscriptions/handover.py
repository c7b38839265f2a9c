"""A bounded queue between the thread that reads the log and the one that folds it; hands over batches."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_NOBODY: Final = 1 << 62  # items that nobody waits for


class Handover(Generic[T]):
    """Holds at most `capacity` items, and no more after those that weigh `most` bytes together.

    So a slow taker makes the reader wait instead of costing memory. `weight` says how many bytes an item weighs.
    One thread puts and one takes. Neither locks unless the other waits: who waits says so first and looks again then,
    while the other changes the queue first and then looks whether anybody waits.
    """

    def __init__(self, capacity: int, weight: Callable[[T], int], most: int) -> None:
        self._capacity: Final = capacity
        self._weight: Final = weight
        self._most: Final = most
        self._items: Final[deque[tuple[T, int]]] = deque()  # each with what all weighed up to it
        self._put = 0  # bytes since the beginning, as the one who puts knows it
        self._taken = 0  # the same of the one who takes
        self._change: Final = threading.Condition()
        self._enough = _NOBODY
        self._waits_for_room = False
        self._ended = False
        self._failure: Exception | None = None

    def put(self, item: T) -> bool:
        """Waits for room; False where the queue has been ended."""
        items = self._items
        if len(items) >= self._capacity or self._put - self._taken >= self._most:
            self._wait_for_room()
        if self._ended:
            return False
        put = self._put + self._weight(item)
        items.append((item, put))
        self._put = put
        if self._enough != _NOBODY and (len(items) >= self._enough or self._is_full):
            self._notify()
        return True

    @property
    def _is_full(self) -> bool:
        return len(self._items) >= self._capacity or self._put - self._taken >= self._most

    def end(self, failure: Exception | None = None) -> None:
        """Nothing more comes, for this reason if there is one; what was put before can still be taken."""
        with self._change:
            self._failure = self._failure or failure
            self._ended = True  # last: who takes looks without the lock, and then raises the failure
            self._change.notify_all()

    def take(self, limit: int, *, wait: float, linger: float = 0.0) -> list[T]:
        """Up to `limit` items: waits `wait` seconds for the first, and from then on `linger` seconds for the rest.

        An empty list after that time. Raises what `end` was given, or EndOfItems, once all has been taken.
        """
        items = self._items
        if not items:
            self._wait_for(1, wait)
        if linger and 0 < len(items) < limit:
            self._wait_for(limit, linger)
        ended = self._ended  # asked first: what was put before the end is there then
        if ended and not items:
            raise self._failure or EndOfItems
        taken = []
        for _ in range(min(limit, len(items))):
            item, self._taken = items.popleft()
            taken.append(item)
        if self._waits_for_room:
            self._notify()
        return taken

    def _wait_for(self, enough: int, seconds: float) -> None:
        with self._change:
            self._enough = enough
            self._change.wait_for(lambda: len(self._items) >= enough or self._ended or self._is_full, seconds)
            self._enough = _NOBODY

    def _wait_for_room(self) -> None:
        with self._change:
            self._waits_for_room = True
            while self._is_full and not self._ended:
                self._change.wait(1.0)
            self._waits_for_room = False

    def _notify(self) -> None:
        with self._change:
            self._change.notify_all()


class EndOfItems(Exception):
    """All that was put has been taken, and no more comes."""
