"""What clients in other languages use: the list of what is offered, ids as numbers, prefixes, and clear refusals."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2, streams_pb2
from esdbclient.protos.Grpc.persistent_pb2_grpc import PersistentSubscriptionsStub
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

from infrastructure.embedded.eventstoredb.wire.names import MOST_NAME_BYTES
from infrastructure.embedded.eventstoredb.wire.server_features_service import PATH, SupportedMethods
from tests.support.eventstore import EventStoreProcess

Options = streams_pb2.ReadReq.Options
Expression = Options.FilterOptions.Expression
EMPTY = shared_pb2.Empty()
PACKAGE = "event_store.client"


@pytest.fixture
def channel(store: EventStoreProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{store.port}") as opened:
        yield opened


@pytest.fixture
def written(client: EventStoreDBClient, stream: str) -> str:
    """A stream of three events of the types A, B and AB."""
    client.append_events(
        stream, current_version=StreamState.NO_STREAM, events=[NewEvent(kind, b"{}") for kind in ("A", "B", "AB")]
    )
    return stream


def called(channel: grpc.Channel, path: str, message: bytes = b"") -> bytes:
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    return call(message, timeout=10)


def refused(channel: grpc.Channel, path: str, message: bytes = b"") -> tuple[grpc.StatusCode, str]:
    """Status and text of a call that is refused."""
    with pytest.raises(grpc.RpcError) as refusal:
        called(channel, path, message)
    error: Any = refusal.value
    return error.code(), error.details()


def test_the_version_and_every_method_are_told(channel: grpc.Channel) -> None:
    answer = SupportedMethods.FromString(called(channel, PATH))
    assert answer.event_store_server_version == "24.10.4"
    listed = {f"{method.service_name}/{method.method_name}": list(method.features) for method in answer.methods}
    groups = ("create", "update", "delete", "read", "getinfo", "list", "replayparked", "restartsubsystem")
    streams: dict[str, list[str]] = {"append": [], "delete": [], "tombstone": []}
    streams |= {"read": ["position", "events"], "batchappend": ["deadline_duration"]}
    projections = {path: features for path, features in listed.items() if ".projections." in path}
    assert projections.pop(f"{PACKAGE}.projections.projections/create") == ["track_emitted_streams"]
    assert {path: features for path, features in listed.items() if ".projections." not in path} == {
        f"{PACKAGE}.gossip.gossip/read": [],
        f"{PACKAGE}.server_features.serverfeatures/getsupportedmethods": [],
        **{f"{PACKAGE}.streams.streams/{name}": features for name, features in streams.items()},
        **{f"{PACKAGE}.persistent_subscriptions.persistentsubscriptions/{name}": ["stream", "all"] for name in groups},
    }
    assert not any(projections.values())


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("monitoring.Monitoring/Stats", "The embedded event store has no statistics."),
        (
            "operations.Operations/StartScavenge",
            "The embedded event store has no operations: nothing is ever scavenged.",
        ),
        ("users.Users/Create", "The embedded event store's users are set with `foldstream eventstore passwd`."),
        ("streams.Streams/Unknown", "Method is unimplemented."),
        ("unknown.Unknown/Unknown", "Service is unimplemented."),
    ],
)
def test_what_is_not_offered_is_refused_in_a_sentence(channel: grpc.Channel, path: str, reason: str) -> None:
    assert refused(channel, f"/{PACKAGE}.{path}") == (grpc.StatusCode.UNIMPLEMENTED, reason)


def test_requests_are_limited_by_their_service(channel: grpc.Channel) -> None:
    group = persistent_pb2.DeleteReq(options=persistent_pb2.DeleteReq.Options(group_name="g" * 2**22))
    path = f"/{PACKAGE}.persistent_subscriptions.PersistentSubscriptions/Delete"
    text = "Received message exceeds the maximum configured message size."
    assert refused(channel, path, group.SerializeToString()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, text)
    path = f"/{PACKAGE}.streams.Streams/Delete"
    text = f"The name of a stream has at most {MOST_NAME_BYTES} bytes, not {2**22}."
    assert refused(channel, path, deletion("s" * 2**22)) == (grpc.StatusCode.INVALID_ARGUMENT, text)


def test_the_middle_of_a_long_name_is_left_out_of_an_error(channel: grpc.Channel) -> None:
    status, text = refused(channel, f"/{PACKAGE}.streams.Streams/Delete", deletion("s" * MOST_NAME_BYTES))
    start = f"Delete failed due to WrongExpectedVersion. Stream: {'s' * 200}"[:200]
    assert (status, text[:201], len(text)) == (grpc.StatusCode.FAILED_PRECONDITION, f"{start}…", 301)
    assert text.endswith("s, Expected version: -2, Actual version: -1")


def deletion(stream: str) -> bytes:
    options = streams_pb2.DeleteReq.Options(stream_identifier=named(stream), any=EMPTY)
    return streams_pb2.DeleteReq(options=options).SerializeToString()


def named(stream: str) -> shared_pb2.StreamIdentifier:
    return shared_pb2.StreamIdentifier(stream_name=stream.encode())


def read(stub: StreamsStub, options: Options) -> list[streams_pb2.ReadResp]:
    options.read_direction = Options.Forwards
    return list(stub.Read(streams_pb2.ReadReq(options=options), timeout=10))


def of_stream(name: str, **options: Any) -> Options:
    whole = Options.StreamOptions(stream_identifier=named(name), start=EMPTY)
    return Options(stream=whole, count=10, no_filter=EMPTY, **options)


def as_number(message: shared_pb2.UUID) -> UUID:
    """An id of which the two halves were sent."""
    halves = (message.structured.most_significant_bits, message.structured.least_significant_bits)
    return UUID(bytes=b"".join(half.to_bytes(8, "big", signed=True) for half in halves))


@pytest.mark.parametrize("uuids", [Options.UUIDOption(structured=EMPTY), Options.UUIDOption()])
def test_ids_as_numbers(stub: StreamsStub, client: EventStoreDBClient, written: str, uuids: Options.UUIDOption) -> None:
    frames = read(stub, of_stream(written, uuid_option=uuids))
    assert [as_number(frame.event.event.id) for frame in frames] == [event.id for event in client.get_stream(written)]


def test_ids_as_numbers_for_consumers(channel: grpc.Channel, client: EventStoreDBClient, written: str) -> None:
    client.create_subscription_to_stream("g", written)
    whole = persistent_pb2.ReadReq.Options(group_name="g", buffer_size=10)
    whole.stream_identifier.stream_name = written.encode()
    whole.uuid_option.structured.SetInParent()
    stub = PersistentSubscriptionsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations
    call = stub.Read(iter([persistent_pb2.ReadReq(options=whole)]), timeout=10)
    frames = [next(call) for _ in range(4)]
    call.cancel()
    assert frames[0].subscription_confirmation.subscription_id == f"{written}::g"
    assert [as_number(frame.event.event.id) for frame in frames[1:]] == [
        event.id for event in client.get_stream(written)
    ]


@pytest.mark.parametrize(("prefixes", "kinds"), [(["A"], ["A", "AB"]), (["AB", "B"], ["B", "AB"]), ([], [])])
def test_types_by_prefix(stub: StreamsStub, written: str, prefixes: list[str], kinds: list[str]) -> None:
    wanted = Options.FilterOptions(event_type=Expression(prefix=prefixes), max=32, checkpointIntervalMultiplier=1)
    uuids = Options.UUIDOption(string=EMPTY)
    frames = read(stub, Options(all=Options.AllOptions(start=EMPTY), count=2**32, filter=wanted, uuid_option=uuids))
    ours = [frame.event.event for frame in frames]
    assert [
        event.metadata["type"] for event in ours if event.stream_identifier.stream_name == written.encode()
    ] == kinds


def test_streams_by_prefix(stub: StreamsStub, written: str) -> None:
    wanted = Options.FilterOptions(stream_identifier=Expression(prefix=[written[:-1]]), count=EMPTY)
    uuids = Options.UUIDOption(string=EMPTY)
    frames = read(stub, Options(all=Options.AllOptions(start=EMPTY), count=10, filter=wanted, uuid_option=uuids))
    assert [frame.event.event.stream_revision for frame in frames] == [0, 1, 2]


def test_a_direction_that_is_none_is_no_combination(channel: grpc.Channel, written: str) -> None:
    options = of_stream(written, uuid_option=Options.UUIDOption(string=EMPTY))
    message = streams_pb2.ReadReq(options=options).SerializeToString()
    nowhere = streams_pb2.ReadReq.FromString(message + b"\x0a\x02\x18\x07")  # merged in: read_direction 7
    call: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(f"/{PACKAGE}.streams.Streams/Read")
    with pytest.raises(grpc.RpcError, match=r"The combination of \(Stream, Count, 7, NoFilter\) is invalid"):
        list(call(nowhere.SerializeToString(), timeout=10))
