"""Two equal appends at once on a server with a disk: one is written, the other is dropped and hears a timeout.

The server is stopped while both are sent, so that it finds them together, before it can commit the first.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar
from uuid import uuid4

import grpc
import pytest
from esdbclient.protos.Grpc.code_pb2 import Code
from esdbclient.protos.Grpc.streams_pb2 import AppendReq, BatchAppendReq, ReadReq
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

DATA = b"x" * 10_000
WRONG_VERSION = "ALREADY_EXISTS: WrongExpectedVersion"
ProposedT = TypeVar("ProposedT", AppendReq.ProposedMessage, BatchAppendReq.ProposedMessage)
Send: TypeAlias = Callable[[StreamsStub, str, list[str]], int | str]


def append(stub: StreamsStub, stream: str, ids: list[str]) -> int | str:
    """By Append, to a new stream: the number of the last event, or what was answered instead."""
    options = AppendReq()
    options.options.stream_identifier.stream_name = stream.encode()
    options.options.no_stream.SetInParent()
    messages = [AppendReq(proposed_message=_proposed(AppendReq.ProposedMessage(), each)) for each in ids]
    try:
        answer = stub.Append(iter([options, *messages]), timeout=20)
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"
    return int(answer.success.current_revision) if answer.HasField("success") else WRONG_VERSION


def append_as_a_batch(stub: StreamsStub, stream: str, ids: list[str]) -> int | str:
    """By BatchAppend, with the same outcomes."""
    request = BatchAppendReq(is_final=True)
    request.correlation_id.string = str(uuid4())
    request.options.stream_identifier.stream_name = stream.encode()
    request.options.no_stream.SetInParent()
    request.proposed_messages.extend(_proposed(BatchAppendReq.ProposedMessage(), each) for each in ids)
    (answer,) = stub.BatchAppend(iter([request]), timeout=20)
    if answer.HasField("success"):
        return int(answer.success.current_revision)
    return f"{Code.Name(answer.error.code)}: {answer.error.message}"


def _proposed(message: ProposedT, event_id: str) -> ProposedT:
    message.id.string = event_id
    message.metadata.update({"type": "T", "content-type": "application/octet-stream"})
    message.data = DATA
    return message


@pytest.fixture
def server(folder: Path) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(folder) as process:
        yield process


@pytest.fixture
def stubs(server: EventStoreProcess) -> Iterator[list[StreamsStub]]:
    """Two clients, each connected already by a connection of its own."""
    with ExitStack() as stack:
        found = []
        for _ in range(2):
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{server.port}", options=options))
            found.append(StreamsStub(channel))  # type: ignore[no-untyped-call]  # generated without annotations
            append(found[-1], f"greeting-{uuid4()}", [str(uuid4())])
        yield found


def race(server: EventStoreProcess, sends: Sequence[Callable[[], int | str]]) -> list[int | str]:
    """The outcomes of two appends that the server finds together."""
    with ThreadPoolExecutor(len(sends)) as pool:
        server.process.send(signal.SIGSTOP)
        try:
            answers = [pool.submit(send) for send in sends]
            poll_until(lambda: _unread(server.port) == len(sends), 20, what="both appends at the server's door")
        finally:
            server.process.send(signal.SIGCONT)
        return [answer.result() for answer in answers]


def _unread(port: int) -> int:
    """How many connections hold a whole append that the server has not read yet."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sizes = [int(line[4].partition(":")[2], 16) for line in lines if line[1].endswith(f":{port:04X}")]
    return sum(size >= len(DATA) for size in sizes)


@pytest.mark.parametrize(
    ("send", "timeout"),
    [
        (append, "ABORTED: Operation timed out: Commit phase timeout."),
        (append_as_a_batch, "DEADLINE_EXCEEDED: Timeout"),
    ],
)
def test_one_of_two_equal_appends_is_written_and_the_other_hears_a_timeout(
    server: EventStoreProcess, stubs: list[StreamsStub], stream: str, send: Send, timeout: str
) -> None:
    ids = [str(uuid4())]
    began = time.monotonic()
    outcomes = race(server, [partial(send, stub, stream, ids) for stub in stubs])
    assert sorted(outcomes, key=str) == [0, timeout]
    assert time.monotonic() - began >= 2
    assert [send(stub, stream, ids) for stub in stubs] == [0, 0]
    assert _numbers(stubs[0], stream) == [0]


@pytest.mark.parametrize("send", [append, append_as_a_batch])
def test_with_fresh_ids_the_other_hears_of_the_wrong_version_at_once(
    server: EventStoreProcess, stubs: list[StreamsStub], stream: str, send: Send
) -> None:
    outcomes = race(server, [partial(send, stub, stream, [str(uuid4())]) for stub in stubs])
    assert sorted(outcomes, key=str) == [0, WRONG_VERSION]
    assert _numbers(stubs[0], stream) == [0]


def test_an_append_that_begins_like_the_one_in_flight_hears_of_the_wrong_version(
    server: EventStoreProcess, stubs: list[StreamsStub], stream: str
) -> None:
    first = str(uuid4())
    sends = [partial(append, stub, stream, [first, str(uuid4())]) for stub in stubs]
    assert sorted(race(server, sends), key=str) == [1, WRONG_VERSION]
    assert _numbers(stubs[0], stream) == [0, 1]


def _numbers(stub: StreamsStub, stream: str) -> list[int]:
    request = ReadReq()
    request.options.stream.stream_identifier.stream_name = stream.encode()
    request.options.stream.start.SetInParent()
    request.options.count = 10
    request.options.no_filter.SetInParent()
    request.options.uuid_option.string.SetInParent()
    return [answer.event.event.stream_revision for answer in stub.Read(request)]
