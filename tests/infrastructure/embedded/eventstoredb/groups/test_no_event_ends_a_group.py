"""Anybody can write anything: no event ends a group, loses what stands beside it, or keeps the server from starting."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from tests.infrastructure.embedded.eventstoredb.groups.listener import Listener
from tests.support.eventstore import EventStoreProcess

STREAM, GROUP = "source", "group"
BEYOND = b"99999999999999999999"
METADATA = (b'{"$correlationId":"\\ud800"}', b"[" * 100_000, b'{"$correlationId":"plain"}', b"")


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(tmp_path / "data") as process:
        yield process


def append(client: EventStoreDBClient, stream: str, *events: NewEvent) -> None:
    client.append_to_stream(stream, current_version=StreamState.ANY, events=events)


def test_a_link_to_a_number_that_no_event_has_leads_nowhere(durable: EventStoreProcess) -> None:
    link = NewEvent(type="$>", data=BEYOND + b"@elsewhere", content_type="application/octet-stream")
    with EventStoreDBClient(durable.uri) as client:
        append(client, STREAM, link, NewEvent(type="Happened", data=b"{}"))
        client.create_subscription_to_stream(GROUP, STREAM, resolve_links=True)
        assert [event.stream_position for event in client.get_stream(STREAM, resolve_links=True)] == [1]
        durable.kill()
    durable.start()
    with EventStoreDBClient(durable.uri) as client:
        assert [event.stream_position for event in Listener(client, GROUP, STREAM).take(1)] == [1]


def test_a_checkpoint_that_is_no_place_is_left_aside(durable: EventStoreProcess) -> None:
    checkpoints = f"$persistentsubscription-{STREAM}::{GROUP}-checkpoint"
    with EventStoreDBClient(durable.uri) as client:
        append(client, STREAM, NewEvent(type="Happened", data=b"{}"))
        client.create_subscription_to_stream(GROUP, STREAM)
        append(client, checkpoints, NewEvent(type="$SubscriptionCheckpoint", data=b'"' + BEYOND + b'"'))
        durable.kill()
    durable.start()
    with EventStoreDBClient(durable.uri) as client:
        assert [event.stream_position for event in Listener(client, GROUP, STREAM).take(1)] == [0]
    assert "checkpoint_unreadable" in durable.errors


def test_a_correlation_that_is_no_text_loses_nobody(durable: EventStoreProcess) -> None:
    with EventStoreDBClient(durable.uri) as client:
        client.create_subscription_to_stream(GROUP, STREAM, consumer_strategy="PinnedByCorrelation")
        events = [NewEvent(type="Happened", data=b"{}", metadata=metadata) for metadata in METADATA]
        append(client, STREAM, *events)
        listener = Listener(client, GROUP, STREAM)
        taken = listener.take(len(METADATA))
        assert [event.stream_position for event in taken] == list(range(len(METADATA)))
        listener.refuse(taken[:1], "retry")
        assert [(event.stream_position, event.retry_count) for event in listener.take(1)] == [(0, 1)]
