"""How much of its source a group holds at a time."""

from infrastructure.embedded.eventstoredb.groups.engine import Action
from tests.infrastructure.embedded.eventstoredb.groups.story import Story


def test_history_is_read_while_a_batch_fits_into_the_buffer() -> None:
    story = Story(read_batch_size=20, history_buffer_size=50)
    taken = []
    while size := story.engine.next_page_size():
        story.happens(size)
        taken.append(size)
    assert taken == [20, 20]
    story.joins(slots=15)
    assert story.engine.next_page_size() == 20


def test_a_page_is_never_larger_than_a_hundred() -> None:
    assert Story(read_batch_size=400).engine.next_page_size() == 100


def test_without_a_batch_size_a_page_is_twenty() -> None:
    assert Story(read_batch_size=0).engine.next_page_size() == 20


def test_a_live_group_takes_what_there_is_room_for_then_falls_behind() -> None:
    story = Story(read_batch_size=20, history_buffer_size=50)
    story.engine.caught_up()
    story.happens(45)
    assert (story.engine.next_page_size(), story.engine.live) == (5, True)
    story.happens(5)
    assert (story.engine.next_page_size(), story.engine.live) == (0, False)
    story.joins(slots=29)
    assert story.engine.next_page_size() == 20


def test_what_waits_for_a_retry_or_for_the_parked_stream_takes_room() -> None:
    story = Story(read_batch_size=4, history_buffer_size=10)
    consumer = story.joins(slots=6)
    story.happens(6)
    story.refused(Action.PARK, 0, 1, 2)
    assert story.engine.next_page_size() == 4
    story.leaves(consumer)
    assert story.engine.next_page_size() == 0
    story.parking_succeeds()
    assert story.engine.next_page_size() == 4


def test_live_events_are_counted_up_to_the_size_of_the_live_buffer() -> None:
    story = Story(live_buffer_size=3)
    story.happens(2)
    assert story.engine.live_count == 0
    story.engine.caught_up()
    story.happens(2)
    assert story.engine.live_count == 2
    story.happens(2)
    assert story.engine.live_count == 3


def test_a_message_left_open_for_long_costs_nothing_for_those_after_it() -> None:
    story = Story()
    story.joins(slots=2)
    for number in range(2000):
        story.happens(1)
        story.acknowledged(*([number] if number else []))
    assert len(story.engine.in_flight) == 1
    assert len(story.engine.in_flight._order) < 100


def test_very_large_messages_leave_room_for_fewer() -> None:
    story = Story(history_buffer_size=500, read_batch_size=20)
    story.happens(40, data=bytes(1024 * 1024))
    assert (story.engine.next_page_size(), story.engine.room) == (0, 0)
    story.joins(slots=30)
    assert story.engine.next_page_size() == 20
