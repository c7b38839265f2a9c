"""A bounded queue between the thread that reads the log and the one that folds it; hands over batches."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Handover(Generic[T]):
    """Holds at most `capacity` items: a slow taker makes the reader wait instead of costing memory."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._change = threading.Condition()
        self._enough = 1
        self._ended = False
        self._failure: Exception | None = None

    def put(self, item: T) -> bool:
        """Waits for room; False where the queue has been ended."""
        with self._change:
            while len(self._items) >= self._capacity and not self._ended:
                self._change.wait(1.0)
            if self._ended:
                return False
            self._items.append(item)
            if len(self._items) >= self._enough:
                self._change.notify_all()
            return True

    def end(self, failure: Exception | None = None) -> None:
        """Nothing more comes, for this reason if there is one; what was put before can still be taken."""
        with self._change:
            self._ended, self._failure = True, self._failure or failure
            self._change.notify_all()

    def take(self, limit: int, *, wait: float, linger: float = 0.0) -> list[T]:
        """Up to `limit` items: waits `wait` seconds for the first, and from then on `linger` seconds for the rest.

        An empty list after that time. Raises what `end` was given, or EndOfItems, once all has been taken.
        """
        with self._change:
            self._wait_for(1, wait)
            if self._items and linger:
                self._wait_for(limit, linger)
            if not self._items and self._ended:
                raise self._failure or EndOfItems
            taken = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
            self._change.notify_all()
            return taken

    def _wait_for(self, enough: int, seconds: float) -> None:
        self._enough = enough
        self._change.wait_for(lambda: len(self._items) >= enough or self._ended, seconds)
        self._enough = 1


class EndOfItems(Exception):
    """All that was put has been taken, and no more comes."""
