"""Calls whose deadline the server notices first: it answers in the words that the client would have found."""

import socket

import pytest
from esdbclient.protos.Grpc.persistent_pb2 import CreateReq
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ResponseReceived, TrailersReceived

from tests.support.eventstore import EventStoreProcess

CALLS = 60


@pytest.mark.parametrize("timeout", ["40m", "1m", "1n", "0m"])
def test_every_overdue_call_ends_with_the_same_status(store: EventStoreProcess, timeout: str) -> None:
    answers = overdue_calls(store.port, CALLS, timeout)
    assert answers == [("4", "Deadline Exceeded")] * CALLS


def overdue_calls(port: int, count: int, timeout: str) -> list[tuple[str, str]]:
    """Status and message of calls that are not answered (a group on a stream without a name), each with a deadline."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        client = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        client.initiate_connection()
        answers: list[tuple[str, str]] = []
        called = 0
        while len(answers) < count:
            if called < count:
                called += 1
                _call(client, port, timeout)
            client.ping(b"awake!!!")  # whose answer is the next to come, or one of an overdue call
            connection.sendall(client.data_to_send())
            events = client.receive_data(connection.recv(65536))
            answers += [_status(event) for event in events if isinstance(event, (ResponseReceived, TrailersReceived))]
    return answers


def _call(client: H2Connection, port: int, timeout: str) -> None:
    stream = client.get_next_available_stream_id()
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/event_store.client.persistent_subscriptions.PersistentSubscriptions/Create",
        ":authority": f"127.0.0.1:{port}",
        "te": "trailers",
        "content-type": "application/grpc",
        "grpc-timeout": timeout,
    }
    client.send_headers(stream, list(headers.items()))
    request = _nameless_group().SerializeToString()
    client.send_data(stream, b"\0" + len(request).to_bytes(4, "big") + request, end_stream=True)


def _nameless_group() -> CreateReq:
    request = CreateReq()
    request.options.group_name = "group"
    request.options.stream.stream_identifier.stream_name = b""
    request.options.stream.start.SetInParent()
    request.options.settings.read_batch_size, request.options.settings.history_buffer_size = 1, 10
    return request


def _status(event: ResponseReceived | TrailersReceived) -> tuple[str, str]:
    headers = {str(name): str(value) for name, value in event.headers}
    return headers.get("grpc-status", ""), headers.get("grpc-message", "")
