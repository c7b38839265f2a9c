"""Catch-up subscriptions while others write."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from esdbclient import Checkpoint, EventStoreDBClient, NewEvent, RecordedEvent, StreamState

from tests.support.eventstore import EventStoreProcess

WRITERS, WRITES = 4, 60


@pytest.fixture
def writing(store: EventStoreProcess, stream: str) -> Iterator[Callable[[], None]]:
    """Starts writers, each with a stream of its own that begins with `stream`; waits for their end after the test."""

    def write(number: int) -> None:
        with EventStoreDBClient(store.uri) as client:
            for _ in range(WRITES):
                events = [NewEvent("Even" if n % 2 else "Odd", b"{}") for n in range(3)]
                client.append_events(f"{stream}-{number}", current_version=StreamState.ANY, events=events)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]

    def start() -> None:
        for thread in threads:
            thread.start()

    yield start
    for thread in threads:
        thread.join(30)


def received(subscription: Iterator[RecordedEvent], count: int) -> list[RecordedEvent]:
    """So many events, without checkpoints and the like."""
    events = (event for event in subscription if not (event.is_checkpoint or event.is_caught_up))
    return [next(events) for _ in range(count)]


def test_every_event_comes_once_and_in_order_also_across_the_end_of_history(
    client: EventStoreDBClient, stream: str, writing: Callable[[], None]
) -> None:
    start = client.get_commit_position(filter_exclude=())
    subscription = client.subscribe_to_all(commit_position=start, filter_exclude=(), timeout=60)
    writing()
    late = client.subscribe_to_all(commit_position=start, filter_exclude=(), timeout=60)
    for reader in (subscription, late):
        events = received(reader, WRITERS * WRITES * 3)
        positions = [position_of(event) for event in events]
        assert positions == sorted(set(positions))
        for number in range(WRITERS):
            own = [event.stream_position for event in events if event.stream_name == f"{stream}-{number}"]
            assert own == list(range(WRITES * 3))


def test_a_filter_leaves_only_what_passes_and_checkpoints_lose_nothing(
    client: EventStoreDBClient, stream: str, writing: Callable[[], None]
) -> None:
    start = client.get_commit_position(filter_exclude=())
    writing()
    seen: list[int] = []
    while len(seen) < 2 * WRITES * 3:
        subscription = client.subscribe_to_all(
            commit_position=start,
            filter_include=(f"{re.escape(stream)}-[01]",),
            filter_by_stream_name=True,
            include_checkpoints=True,
            window_size=5,
            timeout=60,
        )
        start, found = until_checkpoint(subscription, 2 * WRITES * 3 - len(seen))
        seen += found
    assert len(seen) == len(set(seen)) == 2 * WRITES * 3
    assert seen == sorted(seen)


def position_of(event: RecordedEvent) -> int:
    assert event.commit_position is not None
    return event.commit_position


def until_checkpoint(subscription: Iterator[RecordedEvent], most: int) -> tuple[int, list[int]]:
    """The first checkpoint, and the positions of the events before it; or those of the last events there are."""
    found: list[int] = []
    for event in subscription:
        if isinstance(event, Checkpoint):
            return position_of(event), found
        found.append(position_of(event))
        if len(found) == most:
            return found[-1], found
    raise AssertionError("the subscription ended")


def test_the_end_of_history_is_told_without_a_position_that_loses_events(
    client: EventStoreDBClient, stream: str
) -> None:
    start = client.get_commit_position(filter_exclude=())
    subscription = client.subscribe_to_all(
        commit_position=start, filter_include=("None of these",), include_checkpoints=True, include_caught_up=True
    )
    assert next(subscription).is_caught_up


def test_a_stream_is_followed_through_a_delete_and_a_new_beginning(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 2)
    subscription = client.subscribe_to_stream(stream, timeout=30)
    first = received(subscription, 2)
    client.delete_stream(stream, current_version=1)
    append(client, stream, 2)
    assert [event.stream_position for event in (*first, *received(subscription, 2))] == [0, 1, 2, 3]


def test_a_subscriber_goes_on_where_it_was_after_a_kill(folder: Path) -> None:
    with EventStoreProcess(folder) as process, EventStoreDBClient(process.uri) as client:
        append(client, "s", 5)
        last = received(client.subscribe_to_all(timeout=30), 5)[-1]
        process.kill()
        process.start()
        with EventStoreDBClient(process.uri) as again:
            subscription = again.subscribe_to_all(commit_position=last.commit_position, timeout=30)
            append(again, "s", 2)
            assert [event.stream_position for event in received(subscription, 2)] == [5, 6]


def append(client: EventStoreDBClient, stream: str, count: int) -> None:
    client.append_events(stream, current_version=StreamState.ANY, events=[NewEvent("T", b"{}") for _ in range(count)])
