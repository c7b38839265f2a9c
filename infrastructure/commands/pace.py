"""Keeps a thread to a share of its time, so that the event loop does not wait for the interpreter."""

from collections.abc import Callable, Iterable, Iterator
from time import thread_time
from typing import Final, TypeVar

ItemT = TypeVar("ItemT")
WORK_SECONDS: Final = 0.001
PAUSES: Final = 3.0
"""So many times as long as it has worked, a thread pauses: its share is a quarter."""
_LOOKED_AT: Final = 8  # items between two looks at the clock


def paced(
    items: Iterable[ItemT], pause: Callable[[float], object], clock: Callable[[], float] = thread_time
) -> Iterator[ItemT]:
    """The items, with calls of `pause` after each millisecond of work on them, for three.

    A thread that computes gives the interpreter back between two items, but takes it again before another thread has
    woken up; that one gets it after five milliseconds, and an event loop asks for it several times in each command.
    `clock` is the thread's own time, in which waiting does not count.
    """
    began = clock()
    for number, item in enumerate(items, 1):
        yield item
        if number % _LOOKED_AT == 0 and (worked := clock() - began) >= WORK_SECONDS:
            pause(PAUSES * worked)
            began = clock()
