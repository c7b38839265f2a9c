"""The queue between reader and folder: batches, patience, room, and the end."""

import threading
import time

import pytest

from infrastructure.subscriptions.handover import EndOfItems, Handover


def filled(*items: int, capacity: int = 100) -> Handover[int]:
    handover = Handover[int](capacity)
    for item in items:
        assert handover.put(item)
    return handover


class Putting:
    """Puts an item in a thread of its own."""

    def __init__(self, handover: Handover[int], item: int) -> None:
        self.done, self.accepted = threading.Event(), False
        threading.Thread(target=self._put, args=(handover, item), daemon=True).start()

    def _put(self, handover: Handover[int], item: int) -> None:
        self.accepted = handover.put(item)
        self.done.set()


def test_what_was_put_is_taken_in_order_and_at_most_as_much_as_asked_for() -> None:
    handover = filled(1, 2, 3)
    assert handover.take(2, wait=0.0) == [1, 2]
    assert handover.take(2, wait=0.0) == [3]


def test_nothing_comes_of_waiting_for_nothing() -> None:
    assert filled().take(5, wait=0.01) == []


def test_the_first_item_ends_the_waiting() -> None:
    handover = filled()
    threading.Timer(0.05, handover.put, [1]).start()
    begun = time.monotonic()
    assert handover.take(5, wait=10.0) == [1]
    assert time.monotonic() - begun < 5.0


def test_who_lingers_gets_larger_batches() -> None:
    handover = filled(1)
    threading.Timer(0.05, handover.put, [2]).start()
    assert handover.take(2, wait=0.0, linger=10.0) == [1, 2]


def test_lingering_has_an_end() -> None:
    assert filled(1).take(2, wait=0.0, linger=0.01) == [1]


def test_who_puts_waits_for_room() -> None:
    handover = filled(1, 2, capacity=2)
    putting = Putting(handover, 3)
    assert not putting.done.wait(0.05)
    assert handover.take(1, wait=0.0) == [1]
    assert putting.done.wait(5.0)
    assert putting.accepted
    assert handover.take(5, wait=0.0) == [2, 3]


def test_who_waits_for_room_is_let_go_at_the_end() -> None:
    handover = filled(1, capacity=1)
    putting = Putting(handover, 2)
    handover.end()
    assert putting.done.wait(5.0)
    assert not putting.accepted


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
