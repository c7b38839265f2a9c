"""The queue between reader and folder: batches, patience, room, and the end."""

import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import pytest

from infrastructure.subscriptions.handover import EndOfItems, Handover
from tests.support.polling import poll_until

T = TypeVar("T")
SECONDS = 10.0


def filled(*items: int, capacity: int = 100, most: int = 1_000) -> Handover[int]:
    """Each item weighs as many bytes as it says."""
    handover = Handover[int](capacity, lambda item: item, most)
    for item in items:
        assert handover.put(item)
    return handover


class Waiting(Generic[T]):
    """A call in a thread of its own, which waits for a change of the handover when this is made."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._results: list[T] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        poll_until(self._waits, SECONDS, what="the thread to wait")

    def result(self) -> T:
        """What the call returned, soon after the change."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        [result] = self._results
        return result

    def _run(self) -> None:
        self._results.append(self._call())

    def _waits(self) -> bool:
        """Whether it is in a condition's `wait`: CPython shows what a thread executes."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return frame is not None and frame.f_code is threading.Condition.wait.__code__


def test_what_was_put_is_taken_in_order_and_at_most_as_much_as_asked_for() -> None:
    handover = filled(1, 2, 3)
    assert handover.take(2, wait=0.0) == [1, 2]
    assert handover.take(2, wait=0.0) == [3]


def test_nothing_comes_of_waiting_for_nothing() -> None:
    assert filled().take(5, wait=0.01) == []


def test_the_first_item_ends_the_waiting() -> None:
    handover = filled()
    taking = Waiting(lambda: handover.take(5, wait=60.0))
    handover.put(1)
    assert taking.result() == [1]


def test_who_lingers_gets_larger_batches() -> None:
    handover = filled(1)
    taking = Waiting(lambda: handover.take(2, wait=0.0, linger=60.0))
    handover.put(2)
    assert taking.result() == [1, 2]


def test_lingering_has_an_end() -> None:
    assert filled(1).take(2, wait=0.0, linger=0.01) == [1]


def test_who_puts_waits_for_room() -> None:
    handover = filled(1, 2, capacity=2)
    putting = Waiting(lambda: handover.put(3))
    assert handover.take(1, wait=0.0) == [1]
    assert putting.result() is True
    assert handover.take(5, wait=0.0) == [2, 3]


def test_who_puts_waits_until_what_is_there_weighs_less() -> None:
    handover = filled(4, 6, most=10)
    putting = Waiting(lambda: handover.put(3))
    assert handover.take(1, wait=0.0) == [4]
    assert putting.result() is True
    assert handover.take(5, wait=0.0) == [6, 3]


def test_one_that_weighs_more_than_all_may_is_handed_over_at_once() -> None:
    handover = filled(99, most=10)
    assert handover.take(5, wait=0.0, linger=60.0) == [99]


def test_who_waits_for_room_is_let_go_at_the_end() -> None:
    handover = filled(1, capacity=1)
    putting = Waiting(lambda: handover.put(2))
    handover.end()
    assert putting.result() is False


def test_what_was_put_before_a_failure_is_taken_before_it_is_raised() -> None:
    handover = filled(1)
    handover.end(ValueError("broken"))
    assert handover.take(5, wait=0.0) == [1]
    with pytest.raises(ValueError, match=r"^broken$"):
        handover.take(5, wait=0.0)


def test_an_end_without_a_failure_is_named() -> None:
    handover = filled()
    handover.end()
    with pytest.raises(EndOfItems):
        handover.take(5, wait=10.0)


def test_the_first_reason_for_an_end_is_the_one() -> None:
    handover = filled()
    handover.end(ValueError("first"))
    handover.end()
    with pytest.raises(ValueError, match=r"^first$"):
        handover.take(5, wait=0.0)
