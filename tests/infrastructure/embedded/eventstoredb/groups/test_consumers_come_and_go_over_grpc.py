"""Consumers that come and go, as a real client sees it."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import GrpcError
from esdbclient.persistent import SubscriptionReadReqs
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from tests.infrastructure.embedded.eventstoredb.groups.listener import Listener, read_and_die, told
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until


def append(client: EventStoreDBClient, stream: str, count: int, data: bytes = b"{}") -> None:
    events = [NewEvent(type="Happened", data=data) for _ in range(count)]
    client.append_to_stream(stream, current_version=StreamState.ANY, events=events)


def parked(client: EventStoreDBClient, stream: str, count: int) -> bool:
    return client.get_subscription_info("group", stream).parked_message_count == count


def test_what_a_killed_consumer_had_goes_to_the_next_one(
    store: EventStoreProcess, client: EventStoreDBClient, stream: str
) -> None:
    append(client, stream, 2)
    client.create_subscription_to_stream("group", stream, message_timeout=600)
    assert read_and_die(store.uri, "group", stream, 2) == [0, 1]
    assert told(Listener(client, "group", stream).take(2)) == [(0, 1), (1, 1)]


def test_parked_messages_are_links_to_read_and_come_again_in_order_when_replayed(
    client: EventStoreDBClient, stream: str
) -> None:
    append(client, stream, 3)
    client.create_subscription_to_stream("group", stream)
    listener = Listener(client, "group", stream)
    listener.refuse(listener.take(3), "park")
    poll_until(lambda: parked(client, stream, 3), seconds=5, what="the parked messages")
    links = client.get_stream(f"$persistentsubscription-{stream}::group-parked")
    assert [link.data for link in links] == [f"{number}@{stream}".encode() for number in range(3)]
    client.replay_parked_events("group", stream)
    again = listener.take(3)
    assert told(again) == [(0, 0), (1, 0), (2, 0)]
    listener.acknowledge(again)
    poll_until(lambda: parked(client, stream, 0), seconds=5, what="an empty parked stream")


def test_a_thousand_parked_messages_are_replayed_although_the_buffer_is_small(
    client: EventStoreDBClient, stream: str
) -> None:
    append(client, stream, 1000)
    client.create_subscription_to_stream("group", stream, read_batch_size=20, history_buffer_size=50)
    listener = Listener(client, "group", stream)
    for _ in range(10):
        listener.refuse(listener.take(100), "park")
    poll_until(lambda: parked(client, stream, 1000), seconds=10, what="the parked messages")
    client.replay_parked_events("group", stream)
    replayed: list[tuple[int, int | None]] = []
    for _ in range(10):
        again = listener.take(100)
        replayed += told(again)
        listener.acknowledge(again)
    assert replayed == [(number, 0) for number in range(1000)]
    poll_until(lambda: parked(client, stream, 0), seconds=5, what="an empty parked stream")


def test_a_group_without_consumers_holds_no_more_than_its_buffer(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 1000)
    client.create_subscription_to_stream("group", stream, read_batch_size=20, history_buffer_size=50)
    info = client.get_subscription_info("group", stream)
    assert (info.status, 0 < info.read_buffer_count <= 50) == ("Behind", True)
    listener = Listener(client, "group", stream)
    for first in range(0, 1000, 100):
        events = listener.take(100)
        assert told(events) == [(number, 0) for number in range(first, first + 100)]
        listener.acknowledge(events)


def test_a_request_stream_that_ends_does_not_end_the_subscription(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 1)
    client.create_subscription_to_stream("group", stream)
    said = iter([SubscriptionReadReqs("group", stream)._construct_initial_read_req()])
    responses = client.persistent_subscriptions._stub.Read(said, timeout=10)
    kinds = [next(responses).WhichOneof("content") for _ in range(2)]
    append(client, stream, 1)
    assert [*kinds, next(responses).event.event.stream_revision] == ["subscription_confirmation", "event", 1]
    responses.cancel()


def test_ids_may_be_taken_and_answered_as_two_numbers(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 2)
    client.create_subscription_to_stream("group", stream, message_timeout=600)
    options = SubscriptionReadReqs("group", stream, event_buffer_size=1)._construct_initial_read_req()
    options.options.uuid_option.structured.SetInParent()
    answers: list[persistent_pb2.ReadReq] = [options]
    responses = client.persistent_subscriptions._stub.Read(_as_they_come(answers), timeout=10)
    assert next(responses).HasField("subscription_confirmation")
    first = next(responses).event.event
    answers.append(persistent_pb2.ReadReq(ack=persistent_pb2.ReadReq.Ack(ids=[first.id])))
    assert (first.id.HasField("structured"), next(responses).event.event.stream_revision) == (True, 1)
    responses.cancel()


def test_an_update_drops_the_readers_and_goes_on_from_the_checkpoint(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 4)
    client.create_subscription_to_stream("group", stream, min_checkpoint_count=1, max_checkpoint_count=1)
    listener = Listener(client, "group", stream)
    listener.acknowledge(listener.take(4)[:2])
    info = client.get_subscription_info
    poll_until(lambda: info("group", stream).last_checkpointed_event_position == "1", seconds=5, what="the checkpoint")
    client.update_subscription_to_stream("group", stream, max_retry_count=3)
    with pytest.raises(GrpcError, match="was dropped"):
        raise listener.ending() or AssertionError("ended without a reason")
    assert told(Listener(client, "group", stream).take(2)) == [(2, 0), (3, 0)]


def test_a_tombstone_on_its_stream_ends_the_readers(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 1)
    client.create_subscription_to_stream("group", stream)
    listener = Listener(client, "group", stream)
    listener.take(1)
    client.tombstone_stream(stream, current_version=StreamState.ANY)
    assert isinstance(listener.ending(), GrpcError)
    assert isinstance(Listener(client, "group", stream).ending(), GrpcError)


def test_a_restart_of_the_subsystem_ends_the_readers_and_keeps_the_groups(
    client: EventStoreDBClient, stream: str
) -> None:
    append(client, stream, 1)
    client.create_subscription_to_stream("group", stream)
    listener = Listener(client, "group", stream)
    listener.take(1)
    client.persistent_subscriptions._stub.RestartSubsystem(shared_pb2.Empty(), timeout=10)
    assert isinstance(listener.ending(), GrpcError)
    assert told(Listener(client, "group", stream).take(1)) == [(0, 0)]


def test_a_group_with_resolved_links_delivers_what_they_stand_for(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 2)
    links = [
        NewEvent(type="$>", data=f"{n}@{stream}".encode(), content_type="application/octet-stream") for n in (1, 0)
    ]
    client.append_to_stream(f"links-{stream}", current_version=StreamState.ANY, events=links)
    client.create_subscription_to_stream("group", f"links-{stream}", resolve_links=True)
    listener = Listener(client, "group", f"links-{stream}")
    events = listener.take(2)
    assert [(e.stream_name, e.stream_position, e.ack_id) for e in events] == [
        (stream, 1, links[0].id),
        (stream, 0, links[1].id),
    ]


def test_from_the_end_of_the_log_everything_after_the_creation_is_seen(client: EventStoreDBClient, stream: str) -> None:
    client.create_subscription_to_all(f"all-{stream}", from_end=True, filter_exclude=())
    listener = Listener(client, f"all-{stream}")
    append(client, stream, 1)
    kinds = [event.type for event in listener.take(2)]
    client.delete_subscription(f"all-{stream}")
    assert kinds[-1] == "Happened"
    assert kinds[0] == "$PersistentConfig"


def test_a_new_group_ignores_what_a_former_one_left(client: EventStoreDBClient, stream: str) -> None:
    append(client, stream, 2)
    append(client, f"$persistentsubscription-{stream}::group-checkpoint", 1, b'"0"')
    append(client, f"$persistentsubscription-{stream}::group-parked", 1, f"0@{stream}".encode())
    client.create_subscription_to_stream("group", stream)
    assert parked(client, stream, 0)
    assert told(Listener(client, "group", stream).take(2)) == [(0, 0), (1, 0)]


def test_all_settings_are_told_as_they_were_given(client: EventStoreDBClient, stream: str) -> None:
    client.create_subscription_to_stream(
        "group", stream, consumer_strategy="PinnedByCorrelation", message_timeout=0.5, checkpoint_after=0
    )
    info = asdict(client.get_subscription_info("group", stream))
    assert (info["consumer_strategy"], info["message_timeout"], info["checkpoint_after"]) == (
        "PinnedByCorrelation",
        0.5,
        0.0,
    )


def _as_they_come(requests: list[persistent_pb2.ReadReq]) -> Iterator[persistent_pb2.ReadReq]:
    """What is in the list, and what is put there within ten seconds."""
    sent = 0
    while True:
        poll_until(lambda: len(requests) > sent, seconds=10, what="another request")  # noqa: B023 (called at once)
        yield requests[sent]
        sent += 1
