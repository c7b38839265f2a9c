"""Rubbish on the port, readers that do not read, and requests that make no sense."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.protos.Grpc.streams_pb2 import ReadReq, ReadResp
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

from tests.support.eventstore import EventStoreProcess, resident_bytes

HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
RUBBISH = {
    "another protocol": b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    "random bytes": bytes(range(256)) * 40,
    "a frame cut short": HTTP2 + b"\0\0\xff\x04\0\0\0\0\0",
    "a frame of no known kind": HTTP2 + SETTINGS + b"\0\0\x04\xee\0\0\0\0\x01abcd",
    "headers that are not encoded": HTTP2
    + b"\0\0\0\x04\0\0\0\0\0"
    + b"\0\0\x08\x01\x05\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff",
    "data without a stream": HTTP2 + SETTINGS + b"\0\0\x04\0\x01\0\0\0\x07abcd",
}


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH.keys())
def test_rubbish_on_the_port_harms_nobody_else(
    store: EventStoreProcess, client: EventStoreDBClient, stream: str, rubbish: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", store.port), timeout=5) as connection:
        connection.sendall(rubbish)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=NewEvent("T", b"{}"))
    assert len(client.get_stream(stream)) == 1


@pytest.mark.parametrize("method", ["Read", "Append", "BatchAppend", "Delete", "Tombstone"])
def test_a_message_that_is_none_is_refused(store: EventStoreProcess, method: str) -> None:
    error = refusal(store, f"streams.Streams/{method}", b"\xff\xff\xff")
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert error.details() == "Exception was thrown by handler."


def test_an_unknown_method_is_unimplemented(store: EventStoreProcess) -> None:
    assert refusal(store, "projections.Projections/Create", b"").code() is grpc.StatusCode.UNIMPLEMENTED


def refusal(store: EventStoreProcess, method: str, message: bytes) -> grpc.RpcError:
    """How a call with this message ends."""
    with grpc.insecure_channel(f"127.0.0.1:{store.port}") as channel:
        call: grpc.StreamStreamMultiCallable[bytes, bytes]
        call = channel.stream_stream(f"/event_store.client.{method}")
        with pytest.raises(grpc.RpcError) as refused:
            list(call(iter([message]), timeout=5))
    return refused.value


def test_readers_that_do_not_read_cost_little_memory_and_lose_nothing() -> None:
    with EventStoreProcess(None) as process, EventStoreDBClient(process.uri) as client:
        write(client, "before", 10)
        before = resident_bytes(process)
        with calls(process) as stub:
            readers = [stub.Read(everything()) for _ in range(30)]
            assert all(next(reader).WhichOneof("content") == "confirmation" for reader in readers)
            write(client, "after", 10)
            assert resident_bytes(process) - before < 80_000_000
            names = [frame.event.event.stream_identifier.stream_name for frame in take_events(readers[-1], 2000)]
    assert (names.count(b"before"), names.count(b"after")) == (1000, 1000)


def test_a_reader_that_fell_behind_is_told_so_and_catches_up_again() -> None:
    with EventStoreProcess(None) as process, EventStoreDBClient(process.uri) as client, calls(process) as stub:
        reader = stub.Read(everything(), timeout=30)
        told = [frame.WhichOneof("content") for frame in itertools.islice(reader, 3)]
        write(client, "burst", 40)
        seen = take_events_and_notices(reader, 4000)
    assert told == ["confirmation", "event", "caught_up"]
    assert (seen.count("event"), seen[-1]) == (4000, "caught_up")
    assert [notice for notice in seen if notice != "event"][:2] == ["fell_behind", "caught_up"]


@contextmanager
def calls(process: EventStoreProcess) -> Iterator[StreamsStub]:
    with grpc.insecure_channel(f"127.0.0.1:{process.port}") as channel:
        yield StreamsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations


def everything() -> ReadReq:
    """A subscription to $all."""
    request = ReadReq()
    request.options.all.start.SetInParent()
    request.options.subscription.SetInParent()
    request.options.no_filter.SetInParent()
    request.options.uuid_option.string.SetInParent()
    return request


def take_events_and_notices(reader: Iterator[ReadResp], count: int) -> list[str]:
    """What comes until there were so many events and a last word that the reader has caught up."""
    seen: list[str] = []
    while seen.count("event") < count or seen[-1] == "event":
        seen.append(next(reader).WhichOneof("content") or "")
    return seen


def write(client: EventStoreDBClient, stream: str, batches: int) -> None:
    """A hundred events of ten kilobytes in each batch."""
    for _ in range(batches):
        events = [NewEvent("T", b"x" * 10_000) for _ in range(100)]
        client.append_events(stream, current_version=StreamState.ANY, events=events)


def take_events(reader: Iterator[ReadResp], count: int) -> list[ReadResp]:
    """So many of the events that `write` wrote."""
    frames = (frame for frame in reader if frame.event.event.data[:1] == b"x")
    return list(itertools.islice(frames, count))
