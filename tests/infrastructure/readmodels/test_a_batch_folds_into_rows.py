"""Pure: what a batch of frames comes to, without a server."""

from collections.abc import Iterable
from dataclasses import replace

from infrastructure.eventstore.frames import CaughtUp, CheckpointReached
from infrastructure.readmodels.fold import fold, touched
from infrastructure.subscriptions.frames import Frame
from projections.projection import Add, Entry, IndexChange, Remove
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, Remarked, Tally, history, tallies

TALLIES = tallies("tally")
ANN = Tally(owner="ann", total=3, opened=10, version=1)
OPENED_AND_RAISED = history(("a", Opened(owner="ann")), ("a", Raised(by=3)))


def test_events_of_one_stream_become_one_row() -> None:
    folded = fold(TALLIES, {"a": None}, OPENED_AND_RAISED, None)
    assert folded.rows == {"a": ANN}
    assert folded.position == 20


def test_a_row_goes_on_from_what_is_held() -> None:
    [raised] = history(("a", Raised(by=4)), first=30)
    folded = fold(TALLIES, {"a": ANN}, [raised], 20)
    assert folded.rows == {"a": Tally(owner="ann", total=7, opened=10, version=0)}


def test_a_row_that_ends_is_marked_as_gone_and_leaves_its_index() -> None:
    folded = fold(TALLIES, {"a": ANN}, history(("a", Closed()), first=30), 20)
    assert folded.rows == {"a": None}
    assert list(folded.changes.values()) == [Remove(Entry("owner:ann", "10", 10))]


def test_only_the_last_change_of_a_member_of_an_index_remains() -> None:
    def index(before: Tally | None, after: Tally | None) -> Iterable[IndexChange]:
        entry = Entry("open", "a", 10)
        return [Remove(entry)] if after is None else [Add(entry)]

    frames = history(("a", Opened(owner="ann")), ("a", Raised(by=1)), ("a", Closed()))
    folded = fold(replace(TALLIES, index=index), {"a": None}, frames, None)
    assert list(folded.changes.values()) == [Remove(Entry("open", "a", 10))]


def test_a_row_that_comes_and_goes_in_one_batch_leaves_no_entry() -> None:
    frames = history(("a", Opened(owner="ann")), ("a", Raised(by=1)), ("a", Closed()))
    folded = fold(TALLIES, {"a": None}, frames, None)
    assert folded.changes == {}
    assert folded.rows == {"a": None}


def test_an_index_that_follows_the_row_gets_its_entry() -> None:
    folded = fold(TALLIES, {"a": None}, OPENED_AND_RAISED, None)
    assert list(folded.changes.values()) == [Add(Entry("owner:ann", "10", 10))]


def test_an_event_at_or_before_the_checkpoint_is_not_folded_again() -> None:
    folded = fold(TALLIES, {"a": ANN}, OPENED_AND_RAISED, 20)
    assert folded.rows == {}
    assert folded.position == 20


def test_an_event_that_comes_twice_in_a_batch_is_folded_once() -> None:
    folded = fold(TALLIES, {"a": None}, [*OPENED_AND_RAISED, *OPENED_AND_RAISED], None)
    assert folded.rows == {"a": ANN}


def test_an_ignored_event_only_moves_the_checkpoint() -> None:
    folded = fold(TALLIES, {}, history(("a", Remarked())), None)
    assert folded.rows == {}
    assert folded.position == 10


def test_a_checkpoint_frame_moves_the_checkpoint() -> None:
    assert fold(TALLIES, {}, [CheckpointReached(77)], 20).position == 77


def test_a_checkpoint_never_goes_back() -> None:
    assert fold(TALLIES, {}, [CheckpointReached(77), CheckpointReached(33)], 20).position == 77


def test_the_position_that_is_none_is_never_taken() -> None:
    """24.10 sends it where nothing has matched yet; going on from there would lose events."""
    folded = fold(TALLIES, {}, [CheckpointReached(2**64 - 1), CaughtUp()], None)
    assert folded.position is None
    assert folded.caught_up


def test_caught_up_may_come_first_and_again() -> None:
    frames: list[Frame] = [CaughtUp(), *OPENED_AND_RAISED, CaughtUp(), CaughtUp()]
    folded = fold(TALLIES, {"a": None}, frames, None)
    assert folded.rows == {"a": ANN}
    assert folded.caught_up


def test_a_batch_without_caught_up_has_not_caught_up() -> None:
    assert not fold(TALLIES, {"a": None}, OPENED_AND_RAISED, None).caught_up


def test_rows_are_needed_once_for_each_stream_that_is_news() -> None:
    frames = history(("a", Opened(owner="ann")), ("b", Opened(owner="bob")), ("b", Raised(by=1)), ("c", Remarked()))
    assert touched(TALLIES, frames, None) == ["a", "b"]
    assert touched(TALLIES, frames, 10) == ["b"]
