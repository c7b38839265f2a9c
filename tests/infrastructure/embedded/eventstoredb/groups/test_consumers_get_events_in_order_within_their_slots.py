"""What a consumer gets, and when."""

from infrastructure.embedded.eventstoredb.groups.engine import Action
from tests.infrastructure.embedded.eventstoredb.groups.story import Story, event, event_id


def test_events_wait_for_a_consumer_and_come_in_order() -> None:
    story = Story()
    story.happens(3)
    assert story.deliveries == []
    story.joins()
    assert story.deliveries == [(0, 0), (1, 0), (2, 0)]


def test_a_consumer_never_has_more_than_it_has_slots() -> None:
    story = Story()
    story.joins(slots=2)
    story.happens(5)
    assert story.deliveries == [(0, 0), (1, 0)]
    story.acknowledged(0)
    assert story.deliveries == [(2, 0)]
    story.acknowledged(1, 2)
    assert story.deliveries == [(3, 0), (4, 0)]


def test_a_consumer_without_slots_gets_nothing() -> None:
    story = Story()
    story.joins(slots=0)
    story.happens(2)
    assert story.deliveries == []


def test_what_is_retried_comes_before_what_is_new() -> None:
    story = Story()
    story.joins(slots=2)
    story.happens(4)
    story.refused(Action.RETRY, 1)
    assert story.deliveries == [(0, 0), (1, 0), (1, 1)]


def test_what_is_retried_comes_in_the_order_of_the_source() -> None:
    story = Story()
    consumer = story.joins(slots=3)
    story.happens(4)
    story.refused(Action.RETRY, 2)
    story.refused(Action.RETRY, 0)
    story.leaves(consumer)
    assert len(story.deliveries) == 5
    story.joins()
    assert story.deliveries == [(0, 2), (1, 1), (2, 2), (3, 0)]


def test_any_consumer_may_answer_for_another() -> None:
    story = Story()
    story.joins(slots=1)
    story.happens(2)
    story.acknowledged(0)
    assert story.deliveries == [(0, 0), (1, 0)]


def test_answers_that_nobody_waits_for_change_nothing() -> None:
    story = Story()
    story.joins()
    story.happens(1)
    story.acknowledged(7)
    story.refused(Action.RETRY, 8)
    assert (story.deliveries, len(story.engine.in_flight)) == ([(0, 0)], 1)


def test_of_two_events_with_one_id_the_second_waits_until_the_first_is_answered() -> None:
    story = Story()
    story.joins()
    twin = event(0, "elsewhere")
    story.happen([event(0), twin, event(1)])
    assert story.deliveries == [(0, 0), (1, 0)]
    assert event_id(0) in story.engine.in_flight
    story.acknowledged(0)
    assert story.deliveries == [(0, 0)]


def test_a_group_takes_no_more_subscribers_than_it_allows() -> None:
    story = Story(max_subscriber_count=2)
    first = story.joins()
    assert not story.engine.is_full
    story.joins()
    assert story.engine.is_full
    story.leaves(first)
    assert not story.engine.is_full


def test_no_limit_of_subscribers_is_said_with_zero() -> None:
    story = Story(max_subscriber_count=0)
    for _ in range(20):
        story.joins()
    assert not story.engine.is_full
