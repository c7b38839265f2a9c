"""Another process locks the log's file, as backup tools do: a write waits a quarter of a second, a read not at all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from time import monotonic
from uuid import uuid4

import grpc
import httpx
import pytest
from esdbclient.protos.Grpc.streams_pb2 import AppendReq, BatchAppendReq, ReadReq
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

from tests.support.eventstore import DidNotStart, EventStoreProcess
from tests.support.locked_store import locked
from tests.support.polling import poll_until

REFUSED = "Server Is Not Ready: the log could not be written: another process holds a lock on the log's file"
METADATA = {"type": "T", "content-type": "application/json"}


@pytest.fixture
def server(folder: Path) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(folder) as process:
        yield process


@pytest.fixture
def stub(server: EventStoreProcess) -> Iterator[StreamsStub]:
    """The bare calls: the client would try again."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        found = StreamsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations
        assert append(found) == "OK"
        yield found


def append(stub: StreamsStub) -> str:
    options, message = AppendReq(), AppendReq()
    options.options.stream_identifier.stream_name = b"s"
    options.options.any.SetInParent()
    message.proposed_message.id.string = str(uuid4())
    message.proposed_message.metadata.update(METADATA)
    try:
        stub.Append(iter([options, message]), timeout=10)
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"
    return "OK"


def append_as_a_batch(stub: StreamsStub) -> str:
    request = BatchAppendReq(is_final=True)
    request.correlation_id.string = str(uuid4())
    request.options.stream_identifier.stream_name = b"s"
    request.options.any.SetInParent()
    message = request.proposed_messages.add()
    message.id.string = str(uuid4())
    message.metadata.update(METADATA)
    (answer,) = stub.BatchAppend(iter([request]), timeout=10)
    return "OK" if answer.HasField("success") else str(answer.error.message)


def count(stub: StreamsStub) -> int:
    request = ReadReq()
    request.options.stream.stream_identifier.stream_name = b"s"
    request.options.stream.start.SetInParent()
    request.options.count = 100
    request.options.uuid_option.string.SetInParent()
    request.options.no_filter.SetInParent()
    return sum(answer.HasField("event") for answer in stub.Read(request, timeout=10))


def health(server: EventStoreProcess) -> int:
    return httpx.get(f"http://127.0.0.1:{server.port}/health/live", trust_env=False).status_code


def test_a_write_is_refused_and_a_read_goes_on(server: EventStoreProcess, stub: StreamsStub, folder: Path) -> None:
    with locked(folder), ThreadPoolExecutor() as pool:
        began = monotonic()
        waiting = pool.submit(append, stub)
        assert count(stub) == 1
        assert monotonic() - began < 1.0
        assert waiting.result() == f"UNAVAILABLE: {REFUSED}"
        assert 0.2 < monotonic() - began < 2.0
        assert append_as_a_batch(stub) != "OK"
        assert health(server) == 503
    poll_until(lambda: health(server) == 204, seconds=5, what="health, without an append")
    assert append(stub) == append_as_a_batch(stub) == "OK"
    assert count(stub) == 3


def test_writes_that_wait_together_are_refused_together(stub: StreamsStub, folder: Path) -> None:
    with locked(folder), ThreadPoolExecutor(30) as pool:
        began = monotonic()
        assert set(pool.map(append, [stub] * 30)) == {f"UNAVAILABLE: {REFUSED}"}
        assert monotonic() - began < 1.5
    assert append(stub) == "OK"
    assert count(stub) == 2


def test_a_write_waits_for_a_lock_that_is_soon_let_go(
    server: EventStoreProcess, stub: StreamsStub, folder: Path
) -> None:
    with locked(folder) as other:
        release = Timer(0.05, other.rollback)
        release.start()
        assert append(stub) == "OK"
        release.join()
    assert "log_write_failed" not in server.errors


def test_a_start_waits_for_longer(server: EventStoreProcess, folder: Path) -> None:
    server.stop()
    with locked(folder) as other:
        release = Timer(2.0, other.rollback)
        release.start()
        server.start()
        assert release.finished.is_set()
        release.join()


def test_a_start_in_vain_says_why(server: EventStoreProcess, folder: Path) -> None:
    server.stop()
    with locked(folder), pytest.raises(DidNotStart, match="another process holds a lock on the log's file"):
        server.start()
