"""What becomes of a message that is not acknowledged."""

import pytest

from infrastructure.embedded.eventstoredb.groups.engine import Action
from tests.infrastructure.embedded.eventstoredb.groups.story import Story

REFUSED = "Client explicitly NAK'ed message.\n"


@pytest.mark.parametrize("action", [Action.RETRY, Action.UNKNOWN])
def test_a_refused_message_comes_again_at_once(action: Action) -> None:
    story = Story()
    story.joins()
    story.happens(1)
    story.refused(action, 0)
    story.refused(action, 0)
    assert story.deliveries == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("action", [Action.SKIP, Action.STOP])
def test_a_skipped_message_is_done(action: Action) -> None:
    story = Story()
    story.joins()
    story.happens(1)
    story.refused(action, 0)
    assert (story.deliveries, story.parked, len(story.engine.in_flight)) == ([(0, 0)], [], 0)


def test_a_message_to_park_is_parked_with_the_consumers_reason() -> None:
    story = Story()
    story.joins()
    story.happens(1)
    story.refused(Action.PARK, 0, reason="no such account")
    assert story.parked == [(0, f"{REFUSED}no such account")]
    assert len(story.engine.in_flight) == 0


@pytest.mark.parametrize(("retries", "deliveries"), [(0, [(0, 0)]), (2, [(0, 0), (0, 1), (0, 2)]), (-1, [(0, 0)])])
def test_a_message_retried_too_often_is_parked(retries: int, deliveries: list[tuple[int, int]]) -> None:
    story = Story(max_retry_count=retries)
    story.joins()
    story.happens(1)
    for _ in deliveries:
        story.refused(Action.RETRY, 0)
    assert story.deliveries == deliveries
    assert story.parked == [(0, f"Reached retry count of {retries}")]


def test_a_message_that_could_not_be_parked_is_delivered_again() -> None:
    story = Story()
    story.joins()
    story.happens(1)
    story.refused(Action.PARK, 0)
    story.parking_fails()
    assert story.deliveries == [(0, 0), (0, 0)]


def test_an_unanswered_message_comes_again_with_the_tick_after_its_time() -> None:
    story = Story(message_timeout_ms=1_500)
    story.joins()
    story.happens(1)
    story.passes(seconds=1)
    assert story.deliveries == [(0, 0)]
    story.passes(seconds=1)
    assert story.deliveries == [(0, 1)]
    story.passes(seconds=2)
    assert story.deliveries == [(0, 2)]


def test_only_the_tick_notices_that_time_is_up() -> None:
    story = Story(message_timeout_ms=100)
    story.joins()
    story.happens(1)
    story.now = 0.9
    story.happens(1)
    assert story.deliveries == [(0, 0), (1, 0)]
    story.acknowledged(0)
    story.passes(seconds=1)
    assert story.deliveries == [(1, 1)]


def test_a_message_expires_when_its_time_has_just_passed() -> None:
    story = Story(message_timeout_ms=1_000)
    story.joins()
    story.happens(1)
    story.passes(seconds=1)
    assert story.deliveries == [(0, 0), (0, 1)]


def test_without_patience_a_message_expires_with_the_next_tick() -> None:
    story = Story(message_timeout_ms=0, max_retry_count=1)
    story.joins()
    story.happens(1)
    story.passes(seconds=2)
    assert story.deliveries == [(0, 0), (0, 1)]
    assert story.parked == [(0, "Reached retry count of 1")]


def test_what_a_consumer_leaves_goes_to_the_next_one() -> None:
    story = Story(max_retry_count=0)
    one = story.joins()
    story.happens(3)
    story.acknowledged(1)
    story.leaves(one)
    assert story.deliveries == [(0, 0), (1, 0), (2, 0)]
    story.joins()
    assert story.deliveries == [(0, 1), (2, 1)]
    assert story.parked == []


def test_a_consumer_that_leaves_hands_over_at_once() -> None:
    story = Story()
    one = story.joins(slots=2)
    other = story.joins(slots=2)
    story.happens(2)
    assert story.got(one) == [0, 1]
    story.leaves(one)
    assert story.got(other) == [0, 1]
