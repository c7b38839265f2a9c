"""In secure mode users may do everything, strangers nothing but look around, and liars not even that."""

from base64 import b64encode
from typing import Any, TypeAlias
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import AccessDeniedError, GrpcError, ServiceUnavailable, SSLError
from esdbclient.protos.Grpc.shared_pb2 import AccessDenied, StreamIdentifier
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

from infrastructure.embedded.eventstoredb.wire.server_features_service import PATH
from tests.infrastructure.embedded.eventstoredb.access.conftest import login
from tests.support.secure import PASSWORD, USER, SecureEventStore

ANY, NO_STREAM = StreamState.ANY, StreamState.NO_STREAM
STREAMS = ("Read", "Append", "BatchAppend", "Delete", "Tombstone")
GROUPS = ("Create", "Update", "Delete", "Read", "GetInfo", "List", "ReplayParked", "RestartSubsystem")
PROJECTIONS = ("Create", "Update", "Delete", "Statistics", "Enable", "Disable", "Reset", "State")
CALLS = [
    *(f"/event_store.client.streams.Streams/{name}" for name in STREAMS),
    *(f"/event_store.client.persistent_subscriptions.PersistentSubscriptions/{name}" for name in GROUPS),
    *(f"/event_store.client.projections.Projections/{name}" for name in PROJECTIONS),
]
OPEN = ("/event_store.client.gossip.Gossip/Read", PATH)
Answer: TypeAlias = tuple[grpc.StatusCode, str, dict[str, str]] | bytes
DENIED: Answer = (grpc.StatusCode.PERMISSION_DENIED, "Access Denied", {"exception": "access-denied"})
UNKNOWN: Answer = (grpc.StatusCode.UNAUTHENTICATED, "Unauthenticated", {})
UNOFFERED: Answer = (grpc.StatusCode.UNIMPLEMENTED, "Method is unimplemented.", {})


def ask(secure: SecureEventStore, path: str, header: str | None) -> Answer:
    """What is answered to an empty message."""
    metadata = () if header is None else (("authorization", header),)
    with secure.channel() as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
        try:
            return call(b"", timeout=10, metadata=metadata)
        except grpc.RpcError as error:
            return described(error)


def described(error: Any) -> Answer:
    trailers = {str(key): str(value) for key, value in error.trailing_metadata() or ()}
    return error.code(), str(error.details()), trailers


def test_a_user_may_do_everything(secure: SecureEventStore) -> None:
    name, group = f"order-{uuid4().hex}", uuid4().hex
    with EventStoreDBClient(secure.uri()) as client:
        client.append_event(name, current_version=NO_STREAM, event=NewEvent("A", b"1"))
        client.append_events(name, current_version=0, events=[NewEvent("B", b"2")])
        assert [event.data for event in client.get_stream(name)] == [b"1", b"2"]
        with client.subscribe_to_stream(name) as following:
            assert next(following).data == b"1"
        client.create_subscription_to_stream(group, name)
        with client.read_subscription_to_stream(group, name) as reading:
            assert next(reading).data == b"1"
        client.set_stream_metadata(name, metadata={"own": 1})
        assert client.get_stream_metadata(name)[0] == {"own": 1}
        client.enable_projection("$by_category")
        client.delete_stream(name, current_version=ANY)
        client.tombstone_stream(name, current_version=ANY)
        assert [member.state for member in client.read_gossip()] == ["NODE_STATE_LEADER"]


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), (USER, ""), ("", "")])
def test_wrong_credentials_are_refused_by_every_call(secure: SecureEventStore, user: str, password: str) -> None:
    calls = [*CALLS, *OPEN, "/event_store.client.streams.Streams/Unknown", "/unknown.Service/Unknown"]
    assert {path: ask(secure, path, login(user, password)) for path in calls} == dict.fromkeys(calls, UNKNOWN)


@pytest.mark.parametrize("path", [path for path in CALLS if not path.endswith("/BatchAppend")])
def test_nobody_may_call(secure: SecureEventStore, path: str) -> None:
    assert ask(secure, path, None) == DENIED


def test_everybody_may_look_around(secure: SecureEventStore) -> None:
    assert [type(ask(secure, path, None)) for path in OPEN] == [bytes, bytes]
    assert ask(secure, "/event_store.client.streams.Streams/Unknown", None) == UNOFFERED


def test_nobodys_batches_are_refused_one_by_one(secure: SecureEventStore) -> None:
    requests = [BatchAppendReq(is_final=True) for _ in range(2)]
    for number, request in enumerate(requests):
        request.correlation_id.string = str(uuid4())
        request.options.stream_identifier.stream_name = f"s-{number}".encode()
        request.options.any.SetInParent()
    with secure.channel() as channel:
        stub = StreamsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations
        answers: list[BatchAppendResp] = list(stub.BatchAppend(iter(requests), timeout=10))
    assert [answer.correlation_id for answer in answers] == [request.correlation_id for request in requests]
    assert [answer.stream_identifier for answer in answers] == [
        StreamIdentifier(stream_name=name) for name in (b"s-0", b"s-1")
    ]
    assert [(answer.error.code, answer.error.message) for answer in answers] == [(7, "AccessDenied")] * 2
    assert all(answer.error.details.Is(AccessDenied.DESCRIPTOR) for answer in answers)


def test_the_client_raises_what_it_raises_with_a_real_server(secure: SecureEventStore) -> None:
    with EventStoreDBClient(secure.uri(password="wrong")) as client:
        with pytest.raises(GrpcError, match="Unauthenticated"):
            client.get_stream("a", timeout=10)
        with pytest.raises(GrpcError, match="Unauthenticated"):
            client.append_events("a", current_version=ANY, events=[NewEvent("A", b"")], timeout=10)
    with EventStoreDBClient(secure.uri()) as client:
        client._call_credentials = None
        with pytest.raises(GrpcError, match="Access Denied"):
            client.get_stream("a", timeout=10)
        with pytest.raises(AccessDeniedError):
            client.append_events("a", current_version=ANY, events=[NewEvent("A", b"")], timeout=10)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (login(), b""),
        (login().replace("Basic ", "Basic  "), b""),
        (login().replace("Basic", "basic"), DENIED),
        (f"Basic {b64encode(USER.encode()).decode()}", DENIED),
        ("Bearer abc", DENIED),
        ("nonsense", DENIED),
        ("Basic %%%", DENIED),
        ("Basic /w==", DENIED),
        ("", DENIED),
        (login(USER.upper()), UNKNOWN),
        (login(password=PASSWORD + " "), UNKNOWN),
        (login("", ""), UNKNOWN),
    ],
)
def test_headers_as_they_should_not_be_or_not_quite(secure: SecureEventStore, header: str, expected: Answer) -> None:
    path = "/event_store.client.persistent_subscriptions.PersistentSubscriptions/RestartSubsystem"
    assert ask(secure, path, header) == expected


def test_access_control_lists_are_stored_and_not_enforced(secure: SecureEventStore) -> None:
    name = f"order-{uuid4().hex}"
    nobody = {"$acl": dict.fromkeys(("$r", "$w", "$d", "$mr", "$mw"), "nobody")}
    with EventStoreDBClient(secure.uri()) as client:
        client.set_stream_metadata(name, metadata=nobody)
        client.append_event(name, current_version=NO_STREAM, event=NewEvent("A", b""))
        assert len(client.get_stream(name)) == 1
        assert client.get_stream_metadata(name)[0] == nobody
    assert " acls=not-enforced " in secure.ready


def test_in_clear_text_nothing_is_served(secure: SecureEventStore) -> None:
    with (
        EventStoreDBClient(f"esdb://{secure.target}?tls=false") as client,
        pytest.raises(ServiceUnavailable),
    ):
        client.get_stream("a", timeout=5)


def test_who_does_not_know_the_authority_does_not_send_a_password(secure: SecureEventStore) -> None:
    with (
        EventStoreDBClient(f"esdb://{USER}:{PASSWORD}@{secure.target}?tls=true") as client,
        pytest.raises(SSLError),
    ):
        client.get_stream("a", timeout=5)
