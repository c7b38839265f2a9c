"""What a group still knows after its server was killed or stopped."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.exceptions import GrpcError, NotFound, ServiceUnavailable

from tests.infrastructure.embedded.eventstoredb.groups.listener import Listener, told
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

STREAM, GROUP = "source", "group"


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(tmp_path / "data") as process:
        yield process


def fill(store: EventStoreProcess, count: int) -> None:
    with EventStoreDBClient(store.uri) as client:
        events = [NewEvent(type="Happened", data=b"{}") for _ in range(count)]
        client.append_to_stream(STREAM, current_version=StreamState.ANY, events=events)


def test_after_a_kill_everything_behind_the_checkpoint_comes_again_and_nothing_before_it(
    durable: EventStoreProcess,
) -> None:
    fill(durable, 6)
    with EventStoreDBClient(durable.uri) as client:
        client.create_subscription_to_stream(GROUP, STREAM, min_checkpoint_count=1, max_checkpoint_count=1)
        listener = Listener(client, GROUP, STREAM)
        events = listener.take(6)
        listener.acknowledge([*events[:2], events[4]])
        checkpoints = f"$persistentsubscription-{STREAM}::{GROUP}-checkpoint"
        poll_until(
            lambda: [e.data for e in _read(client, checkpoints)][-1:] == [b'"1"'], seconds=5, what="the checkpoint"
        )
        durable.kill()
    durable.start()
    with EventStoreDBClient(durable.uri) as client:
        assert told(Listener(client, GROUP, STREAM).take(4)) == [(2, 0), (3, 0), (4, 0), (5, 0)]


def test_killed_again_and_again_it_delivers_every_event(durable: EventStoreProcess) -> None:
    fill(durable, 500)
    with EventStoreDBClient(durable.uri) as client:
        client.create_subscription_to_stream(GROUP, STREAM, checkpoint_after=0.1, max_checkpoint_count=20)
    seen: set[int] = set()
    for count in (90, 150, 70):
        with EventStoreDBClient(durable.uri) as client:
            seen |= _handle(Listener(client, GROUP, STREAM), count)
            durable.kill()
        durable.start()
    with EventStoreDBClient(durable.uri) as client:
        listener = Listener(client, GROUP, STREAM)
        while max(seen) < 499:
            seen |= _handle(listener, 1)
    assert seen == set(range(500))


def test_parked_messages_outlive_a_kill_and_are_replayed_after_it(durable: EventStoreProcess) -> None:
    fill(durable, 2)
    with EventStoreDBClient(durable.uri) as client:
        client.create_subscription_to_stream(GROUP, STREAM, max_checkpoint_count=1)
        listener = Listener(client, GROUP, STREAM)
        listener.refuse(listener.take(2), "park")
        poll_until(
            lambda: client.get_subscription_info(GROUP, STREAM).parked_message_count == 2, seconds=5, what="parking"
        )
        durable.kill()
    durable.start()
    with EventStoreDBClient(durable.uri) as client:
        assert client.get_subscription_info(GROUP, STREAM).parked_message_count == 2
        client.replay_parked_events(GROUP, STREAM)
        events = Listener(client, GROUP, STREAM).take(2)
        assert sorted((e.stream_position, e.link is not None) for e in events) == [(0, True), (1, True)]


def test_settings_and_filters_outlive_a_kill(durable: EventStoreProcess) -> None:
    fill(durable, 2)
    with EventStoreDBClient(durable.uri) as client:
        client.create_subscription_to_stream(
            GROUP,
            STREAM,
            stream_position=1,
            resolve_links=True,
            message_timeout=1.5,
            max_retry_count=3,
            min_checkpoint_count=2,
            max_checkpoint_count=7,
            checkpoint_after=0.75,
            consumer_strategy="PinnedByCorrelation",
            max_subscriber_count=0,
            live_buffer_size=11,
            read_batch_size=12,
            history_buffer_size=13,
            extra_statistics=True,
        )
        client.create_subscription_to_all("selective", filter_include=["Wanted"], commit_position=1)
        before = [asdict(info) for info in client.list_subscriptions()]
        durable.kill()
    durable.start()
    with EventStoreDBClient(durable.uri) as client:
        after = [asdict(info) for info in client.list_subscriptions()]
        assert [_settings(info) for info in after] == [_settings(info) for info in before]
        client.append_to_stream(
            STREAM,
            current_version=StreamState.ANY,
            events=[NewEvent(type="Unwanted", data=b"{}"), NewEvent(type="Wanted", data=b"{}")],
        )
        assert [event.type for event in Listener(client, "selective").take(1)] == ["Wanted"]


def test_a_deleted_group_stays_deleted_and_its_successor_begins_anew(durable: EventStoreProcess) -> None:
    fill(durable, 3)
    with EventStoreDBClient(durable.uri) as client:
        client.create_subscription_to_stream(GROUP, STREAM, min_checkpoint_count=1, max_checkpoint_count=1)
        listener = Listener(client, GROUP, STREAM)
        listener.acknowledge(listener.take(3))
        poll_until(
            lambda: client.get_subscription_info(GROUP, STREAM).last_checkpointed_event_position == "2",
            seconds=5,
            what="the checkpoint",
        )
        client.delete_subscription(GROUP, STREAM)
        durable.kill()
    durable.start()
    with EventStoreDBClient(durable.uri) as client:
        assert client.list_subscriptions() == []
        client.create_subscription_to_stream(GROUP, STREAM)
        assert told(Listener(client, GROUP, STREAM).take(3)) == [(0, 0), (1, 0), (2, 0)]


def test_a_stop_of_the_server_ends_readers_at_once(durable: EventStoreProcess) -> None:
    fill(durable, 1)
    with EventStoreDBClient(durable.uri) as client:
        client.create_subscription_to_stream(GROUP, STREAM)
        listener = Listener(client, GROUP, STREAM)
        listener.take(1)
        assert durable.stop() == 0
        assert isinstance(listener.ending(), GrpcError | ServiceUnavailable)


def _read(client: EventStoreDBClient, stream: str) -> list[RecordedEvent]:
    """Nothing where there is no stream yet."""
    try:
        return list(client.get_stream(stream))
    except NotFound:
        return []


def _handle(listener: Listener, count: int) -> set[int]:
    """The numbers of the next events, each of which is acknowledged."""
    handled = set()
    for _ in range(count):
        events = listener.take(1)
        listener.acknowledge(events)
        handled.add(events[0].stream_position)
    return handled


def _settings(info: dict[str, object]) -> dict[str, object]:
    """Without what is counted."""
    counted = {"total_items", "average_per_second", "count_since_last_measurement", "status"}
    return {key: value for key, value in info.items() if key not in counted and not key.endswith("position")}
