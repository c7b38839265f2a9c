"""When a filtered subscription is told how far it has come."""

from infrastructure.embedded.eventstoredb.filters.checkpoints import HistoryCheckpoints, LiveCheckpoints


def history(count: int, passing: set[int], window: int, multiplier: int) -> list[int]:
    """The checkpoints among `count` events after event 0, where the subscription starts, and the last of all."""
    marks = HistoryCheckpoints(window, window * multiplier)
    found = [marks.saw(n, passes=n in passing, sent=n in passing and n > 0) for n in range(count + 1)]
    return [mark for mark in [*found, marks.caught_up()] if mark is not None]


def test_a_checkpoint_names_the_last_match_of_its_page_or_where_the_page_began() -> None:
    assert history(101, {25, 50, 75, 100}, window=10, multiplier=2) == [10, 30, 50, 75, 90, 100]


def test_without_a_match_a_checkpoint_names_where_the_page_began() -> None:
    assert history(101, set(), window=10, multiplier=3) == [20, 50, 80]


def test_a_page_ends_early_where_many_events_pass() -> None:
    assert history(80, set(range(81)), window=64, multiplier=1) == [63, 80]


def test_history_ends_with_a_checkpoint_at_the_last_event_sent() -> None:
    assert history(10, {5, 10}, window=30, multiplier=5) == [10]


def test_where_nothing_was_sent_history_ends_without_one() -> None:
    assert history(10, set(), window=30, multiplier=5) == []


def test_live_events_are_counted_from_zero_whether_they_pass_or_not() -> None:
    marks = LiveCheckpoints(3)
    assert [marks.saw(n) for n in range(7)] == [None, None, 2, None, None, 5, None]
