"""Parked messages that are delivered again."""

from infrastructure.embedded.eventstoredb.groups.engine import Action
from tests.infrastructure.embedded.eventstoredb.groups.story import Story


def test_they_come_after_what_waits_for_a_retry_and_before_what_is_new() -> None:
    story = Story()
    story.happens(3)
    one = story.joins(slots=2)
    story.leaves(one)
    story.replayed(7, 5)
    assert story.deliveries == [(0, 0), (1, 0)]
    story.joins()
    assert story.deliveries == [(0, 1), (1, 1), (107, 0), (105, 0), (2, 0)]


def test_they_are_answered_with_the_id_of_the_link() -> None:
    story = Story()
    story.joins()
    story.replayed(3)
    story.acknowledged(3)
    assert len(story.engine.in_flight) == 1
    story.acknowledged(103)
    assert len(story.engine.in_flight) == 0


def test_they_may_be_retried_and_parked_again() -> None:
    story = Story(max_retry_count=1)
    story.joins()
    story.replayed(3)
    story.refused(Action.RETRY, 103)
    assert story.deliveries == [(103, 0), (103, 1)]
    story.refused(Action.RETRY, 103)
    assert story.parked == [(103, "Reached retry count of 1")]
