"""How far a group says it has come: never behind something that is still open."""

from infrastructure.embedded.eventstoredb.groups.engine import Action
from tests.infrastructure.embedded.eventstoredb.groups.story import Story


def test_few_acknowledged_events_are_not_worth_a_checkpoint() -> None:
    story = Story()
    story.joins(slots=20)
    story.happens(9)
    story.acknowledged(*range(9))
    story.passes(seconds=5)
    assert story.checkpoints == []


def test_enough_of_them_are_with_the_next_tick() -> None:
    story = Story()
    story.joins(slots=20)
    story.happens(10)
    story.acknowledged(*range(10))
    assert story.checkpoints == []
    story.passes(seconds=1)
    assert story.checkpoints == [9]
    story.passes(seconds=5)
    assert story.checkpoints == [9]


def test_between_two_checkpoints_on_a_tick_passes_the_time_that_was_set() -> None:
    story = Story(checkpoint_after_ms=3_000, min_checkpoint_count=1)
    story.joins(slots=20)
    for number in range(6):
        story.happens(1)
        story.acknowledged(number)
        story.passes(seconds=1)
    assert story.checkpoints == [0, 3]


def test_zero_means_no_checkpoint_by_time() -> None:
    story = Story(checkpoint_after_ms=0, min_checkpoint_count=1, max_checkpoint_count=3)
    story.joins(slots=20)
    story.happens(2)
    story.acknowledged(0, 1)
    story.passes(seconds=5)
    assert story.checkpoints == []
    story.happens(1)
    story.acknowledged(2)
    assert story.checkpoints == [2]


def test_many_events_are_a_reason_without_a_tick() -> None:
    story = Story(max_checkpoint_count=3)
    story.joins(slots=20)
    story.happens(7)
    for number in range(7):
        story.acknowledged(number)
    assert story.checkpoints == [2, 5]


def test_an_open_message_holds_the_checkpoint_back() -> None:
    story = Story(max_checkpoint_count=1)
    story.joins(slots=20)
    story.happens(5)
    story.acknowledged(0, 1, 3, 4)
    assert story.checkpoints == [1]
    story.refused(Action.RETRY, 2)
    assert story.checkpoints == [1]
    story.acknowledged(2)
    assert story.checkpoints == [1, 4]


def test_a_message_that_waits_for_a_consumer_holds_it_back() -> None:
    story = Story(max_checkpoint_count=1)
    story.joins(slots=1)
    story.happens(3)
    story.acknowledged(0)
    assert story.checkpoints == [0]


def test_a_message_holds_it_back_until_it_is_in_the_parked_stream() -> None:
    story = Story(max_checkpoint_count=1)
    story.joins(slots=20)
    story.happens(2)
    story.acknowledged(1)
    story.refused(Action.PARK, 0)
    assert story.checkpoints == []
    story.parking_succeeds()
    assert story.checkpoints == [1]


def test_events_that_are_left_out_count() -> None:
    story = Story(max_checkpoint_count=100)
    story.is_left_out(99)
    assert story.checkpoints == []
    story.happens(1)
    story.is_left_out(50)
    assert story.checkpoints == []
    story.joins()
    story.acknowledged(99)
    assert story.checkpoints == [149]


def test_a_checkpoint_says_the_place_before_the_lowest_open_message() -> None:
    story = Story(max_checkpoint_count=10)
    story.is_left_out(12)
    story.happens(1)
    assert story.checkpoints == [11]


def test_a_group_that_goes_on_from_a_checkpoint_begins_to_count_there() -> None:
    story = Story(resumed=41, max_checkpoint_count=2)
    story.joins()
    story.happens(2)
    story.acknowledged(42)
    assert story.checkpoints == []
    story.acknowledged(43)
    assert story.checkpoints == [43]
    assert story.engine.checkpoint == 43


def test_replayed_messages_hold_nothing_back() -> None:
    story = Story(max_checkpoint_count=1)
    story.joins(slots=20)
    story.happens(1)
    story.replayed(0)
    story.acknowledged(0)
    assert story.checkpoints == [0]
