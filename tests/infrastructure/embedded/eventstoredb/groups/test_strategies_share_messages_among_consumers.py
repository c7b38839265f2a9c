"""How the strategies share messages among consumers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count

import pytest

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.storage.record import LogRecord
from tests.infrastructure.embedded.eventstoredb.groups.story import Story, event

STREAMS = [f"order-{number}" for number in range(40)]


def in_streams(streams: Iterable[str], numbers: Iterator[int]) -> list[LogRecord]:
    return [event(next(numbers), stream) for stream in streams]


def owners(story: Story, records: list[LogRecord]) -> dict[str, set[Consumer]]:
    stream_of = {record.number: record.stream for record in records}
    owned = defaultdict(set)
    for consumer, number, _ in story.delivered:
        owned[stream_of[number]].add(consumer)
    return dict(owned)


def test_dispatched_to_a_single_consumer_all_goes_to_one_until_it_is_full() -> None:
    story = Story(consumer_strategy="DispatchToSingle")
    one, other = story.joins(slots=3), story.joins(slots=3)
    story.happens(7)
    assert (story.got(one), story.got(other)) == ([0, 1, 2], [3, 4, 5])
    story.acknowledged(0, 3)
    assert (story.got(one), story.got(other)) == ([0, 1, 2], [3, 4, 5, 6])


def test_round_robin_takes_turns() -> None:
    story = Story(consumer_strategy="RoundRobin")
    one, other = story.joins(), story.joins()
    story.happens(6)
    assert (story.got(one), story.got(other)) == ([0, 2, 4], [1, 3, 5])


def test_round_robin_passes_over_who_is_full() -> None:
    story = Story(consumer_strategy="RoundRobin")
    one, other = story.joins(slots=1), story.joins(slots=4)
    story.happens(6)
    assert (story.got(one), story.got(other)) == ([0], [1, 2, 3, 4])


def test_pinned_keeps_a_stream_with_one_consumer_and_gives_everybody_some() -> None:
    story = Story(consumer_strategy="Pinned")
    consumers = {story.joins(slots=500) for _ in range(3)}
    numbers = count()
    records = in_streams(STREAMS * 3, numbers)
    story.happen(records)
    owned = owners(story, records)
    assert all(len(who) == 1 for who in owned.values())
    assert set.union(*owned.values()) == consumers


def test_pinned_lets_others_go_on_while_one_consumer_is_full() -> None:
    story = Story(consumer_strategy="Pinned")
    one, other = story.joins(slots=1), story.joins(slots=10)
    story.happen([event(0, "order-1"), event(1, "order-1"), event(2, "order-2"), event(3, "order-2")])
    assert (story.got(one), story.got(other)) == ([0], [2, 3])
    story.acknowledged(0)
    assert story.got(one) == [0, 1]


def test_pinned_keeps_the_order_of_what_it_makes_wait() -> None:
    story = Story(consumer_strategy="Pinned")
    story.joins(slots=1)
    story.joins(slots=1)
    story.happen([event(number, "order-1") for number in range(4)])
    for number in range(3):
        story.acknowledged(number)
    assert story.deliveries == [(0, 0), (1, 0), (2, 0), (3, 0)]


def test_pinned_checkpoints_nothing_that_was_kept_waiting() -> None:
    story = Story(consumer_strategy="Pinned", max_checkpoint_count=1)
    story.joins(slots=1)
    story.joins(slots=10)
    story.happen([event(0, "order-1"), event(1, "order-1"), event(2, "order-2")])
    story.acknowledged(0, 2)
    assert story.checkpoints == [0]


def test_pinned_gives_a_newcomer_its_share() -> None:
    story = Story(consumer_strategy="Pinned")
    one = story.joins(slots=500)
    numbers = count()
    first = in_streams(STREAMS, numbers)
    story.happen(first)
    story.acknowledged(*range(len(first)))
    newcomer = story.joins(slots=500)
    second = in_streams(STREAMS, numbers)
    story.happen(second)
    shares = [len([number for number in story.got(who) if number >= len(first)]) for who in (one, newcomer)]
    assert sum(shares) == len(STREAMS)
    assert max(shares) - min(shares) <= 2


def test_pinned_passes_on_the_streams_of_a_consumer_that_leaves() -> None:
    story = Story(consumer_strategy="Pinned")
    one, other = story.joins(slots=500), story.joins(slots=500)
    records = in_streams(STREAMS, count())
    story.happen(records)
    left_open = story.got(one)
    story.delivered.clear()
    story.leaves(one)
    assert (left_open != [], story.got(other)) == (True, left_open)


@pytest.mark.parametrize("kind", ["$>", "T"])
def test_pinned_by_correlation_keeps_what_belongs_together(kind: str) -> None:
    story = Story(consumer_strategy="PinnedByCorrelation")
    story.joins(slots=500)
    story.joins(slots=500)
    correlation = b'{"$correlationId": "c-%d"}'
    records = [event(number, stream, kind, b"0@x", correlation % (number % 7)) for number, stream in enumerate(STREAMS)]
    story.happen(records)
    of_correlation = defaultdict(set)
    for consumer, number, _ in story.delivered:
        of_correlation[number % 7].add(consumer)
    assert [len(who) for who in of_correlation.values()] == [1] * 7


def test_pinned_looks_at_the_target_of_a_link() -> None:
    story = Story(consumer_strategy="Pinned")
    story.joins(slots=500)
    story.joins(slots=500)
    records = [event(number, "links", "$>", f"0@{stream}".encode()) for number, stream in enumerate(STREAMS)]
    story.happen(records)
    assert len({consumer for consumer, _, _ in story.delivered}) == 2


@pytest.mark.parametrize("metadata", [b"", b"[]", b"no json", b'{"$correlationId": 7}'])
def test_pinned_by_correlation_falls_back_to_the_stream(metadata: bytes) -> None:
    story = Story(consumer_strategy="PinnedByCorrelation")
    story.joins(slots=500)
    story.joins(slots=500)
    records = [event(number, "one-stream", metadata=metadata) for number in range(20)]
    story.happen(records)
    assert len({consumer for consumer, _, _ in story.delivered}) == 1
