"""What is refused by name, so that nobody takes memory or time that all others need."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import BadRequestError, GrpcError
from esdbclient.protos.Grpc.streams_pb2 import AppendReq
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

from infrastructure.embedded.eventstoredb.wire.names import MOST_NAME_BYTES
from infrastructure.embedded.eventstoredb.wire.proposals import MOST_EVENTS

ANY = StreamState.ANY
CALLS: dict[str, Callable[[EventStoreDBClient, str], object]] = {
    "Append": lambda client, name: client.append_to_stream(name, current_version=ANY, events=NewEvent("T", b"")),
    "BatchAppend": lambda client, name: client.append_events(name, current_version=ANY, events=[NewEvent("T", b"")]),
    "metadata": lambda client, name: client.set_stream_metadata(name, metadata={}),
    "Read": lambda client, name: client.get_stream(name),
    "subscribe": lambda client, name: client.subscribe_to_stream(name),
    "Delete": lambda client, name: client.delete_stream(name, current_version=ANY),
    "Tombstone": lambda client, name: client.tombstone_stream(name, current_version=ANY),
    "Create": lambda client, name: client.create_subscription_to_stream("group", name),
    "Create group": lambda client, name: client.create_subscription_to_all(name),
    "Update": lambda client, name: client.update_subscription_to_stream("group", name),
    "Delete group": lambda client, name: client.delete_subscription("group", name),
    "GetInfo": lambda client, name: client.get_subscription_info(name),
    "List": lambda client, name: client.list_subscriptions_to_stream(name),
    "ReplayParked": lambda client, name: client.replay_parked_events("group", name),
    "read group": lambda client, name: client.read_subscription_to_stream("group", name),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_name_that_is_too_long(client: EventStoreDBClient, call: Callable[[EventStoreDBClient, str], object]) -> None:
    name = "é" * (MOST_NAME_BYTES // 2) + "x"
    with pytest.raises((GrpcError, BadRequestError), match=rf"has at most {MOST_NAME_BYTES} bytes, not \d+\."):
        call(client, name)


def test_the_longest_name(client: EventStoreDBClient) -> None:
    name = uuid4().hex.ljust(MOST_NAME_BYTES, "x")
    client.append_to_stream(name, current_version=StreamState.NO_STREAM, events=NewEvent("T", b"1"))
    client.append_events(name, current_version=0, events=[NewEvent("T", b"2")])
    assert [event.data for event in client.get_stream(name)] == [b"1", b"2"]


def test_the_most_events_of_an_append_and_one_more(client: EventStoreDBClient, stream: str) -> None:
    events = [NewEvent("T", b"") for _ in range(MOST_EVENTS + 1)]
    client.append_events(stream, current_version=StreamState.NO_STREAM, events=events[:-1])
    with pytest.raises(BadRequestError, match=rf"at most {MOST_EVENTS} events"):
        client.append_events(stream, current_version=ANY, events=events)
    assert client.get_current_version(stream) == MOST_EVENTS - 1


def test_a_long_name_is_repeated_in_fewer_events(client: EventStoreDBClient) -> None:
    name = uuid4().hex.ljust(MOST_NAME_BYTES, "x")
    with pytest.raises(BadRequestError, match="at most 512 events"):
        client.append_events(name, current_version=ANY, events=[NewEvent("T", b"") for _ in range(513)])


def test_too_many_events_that_come_one_by_one(stub: StreamsStub, stream: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        stub.Append(one_by_one(stream, MOST_EVENTS + 1), timeout=20)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == f"An append to this stream has at most {MOST_EVENTS} events."


def one_by_one(stream: str, count: int) -> Iterator[AppendReq]:
    """One append of so many events."""
    first = AppendReq()
    first.options.stream_identifier.stream_name = stream.encode()
    first.options.any.SetInParent()
    yield first
    for _ in range(count):
        event = AppendReq()
        event.proposed_message.id.string = str(uuid4())
        event.proposed_message.metadata.update({"type": "T", "content-type": "application/json"})
        yield event
