"""Many writes on one BatchAppend call."""

import threading
from collections.abc import Iterable, Iterator
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

from infrastructure.embedded.eventstoredb.wire.names import MOST_NAME_BYTES
from tests.support.eventstore import EventStoreProcess, resident_bytes


def batch(stream: str, *, of: int = 1, is_final: bool = True, expected: int | None = None) -> BatchAppendReq:
    """A whole write, or its beginning, under a correlation id of its own."""
    request = BatchAppendReq(is_final=is_final)
    request.correlation_id.string = str(uuid4())
    request.options.stream_identifier.stream_name = stream.encode()
    request.options.deadline.seconds = 1000
    if expected is None:
        request.options.any.SetInParent()
    else:
        request.options.stream_position = expected
    return with_events(request, of)


def more(first: BatchAppendReq, *, of: int = 1, is_final: bool = True) -> BatchAppendReq:
    """The next part of a write."""
    request = BatchAppendReq(correlation_id=first.correlation_id, is_final=is_final)
    return with_events(request, of)


def with_events(request: BatchAppendReq, count: int) -> BatchAppendReq:
    for _ in range(count):
        event = request.proposed_messages.add(data=b"{}")
        event.id.string = str(uuid4())
        event.metadata.update({"type": "T", "content-type": "application/json"})
    return request


def answers(stub: StreamsStub, requests: Iterable[BatchAppendReq]) -> dict[str, BatchAppendResp]:
    """What was answered, by correlation id."""
    return {answer.correlation_id.string: answer for answer in stub.BatchAppend(iter(requests), timeout=20)}


def test_each_of_a_thousand_writes_in_flight_gets_its_own_answer(stub: StreamsStub, stream: str) -> None:
    requests = [batch(f"{stream}-{number % 7}") for number in range(1000)]
    answered = answers(stub, requests)
    assert set(answered) == {request.correlation_id.string for request in requests}
    assert {answer.WhichOneof("result") for answer in answered.values()} == {"success"}


def test_writes_to_one_stream_take_effect_in_the_order_they_were_sent(stub: StreamsStub, stream: str) -> None:
    requests = [batch(stream), *(batch(stream, expected=number) for number in range(50))]
    answered = answers(stub, requests)
    revisions = [answered[request.correlation_id.string].success.current_revision for request in requests]
    assert revisions == list(range(51))


def test_a_write_comes_in_parts_between_the_parts_of_others(
    stub: StreamsStub, client: EventStoreDBClient, stream: str
) -> None:
    one, other = batch(f"{stream}-1", of=2, is_final=False), batch(f"{stream}-2", of=1, is_final=False)
    answered = answers(stub, [one, other, more(one, of=3), more(other, of=0)])
    assert answered[one.correlation_id.string].success.current_revision == 4
    assert answered[other.correlation_id.string].success.current_revision == 0
    assert len(client.get_stream(f"{stream}-1")) == 5


def test_a_refused_write_does_not_disturb_the_others(stub: StreamsStub, stream: str) -> None:
    good, wrong, last = batch(stream), batch(stream, expected=9), batch(stream, expected=0)
    answered = answers(stub, [good, wrong, last])
    results = [answered[r.correlation_id.string].WhichOneof("result") for r in (good, wrong, last)]
    assert results == ["success", "error", "success"]
    assert answered[wrong.correlation_id.string].error.message == "WrongExpectedVersion"


def test_a_write_that_is_never_finished_is_given_up(stub: StreamsStub, stream: str) -> None:
    request = batch(stream, is_final=False)
    request.options.deadline.CopyFrom(type(request.options.deadline)(nanos=200_000_000))
    answered = threading.Event()
    answer = next(iter(stub.BatchAppend(unfinished(request, answered), timeout=20)))
    answered.set()
    assert (answer.correlation_id, answer.error.message) == (request.correlation_id, "Timeout")


def unfinished(first: BatchAppendReq, answered: threading.Event) -> Iterator[BatchAppendReq]:
    """One request; then the call stays open until the server has answered."""
    yield first
    answered.wait(20)


def test_what_follows_the_last_part_of_a_write_belongs_to_no_write(
    stub: StreamsStub, client: EventStoreDBClient, stream: str
) -> None:
    whole = batch(stream)
    answered = answers(stub, [whole, more(whole), more(whole, is_final=False)])
    assert answered[whole.correlation_id.string].success.current_revision == 0
    assert len(client.get_stream(stream)) == 1


@pytest.mark.parametrize(
    ("calls", "batches", "data"),
    [(1, 257, b""), (1, 9, bytes(1024 * 1000)), (5, 250, b"")],
    ids=["many on a call", "large ones on a call", "many on a connection"],
)
def test_a_call_ends_when_too_much_is_begun_and_not_finished(
    stub: StreamsStub, stream: str, calls: int, batches: int, data: bytes
) -> None:
    begun = [batch(stream, of=0, is_final=False) for _ in range(batches)]
    for request in begun:
        with_events(request, 1).proposed_messages[0].data = data
    ended = threading.Event()
    open_calls = [stub.BatchAppend(unfinished_ones(begun, ended), timeout=20) for _ in range(calls)]
    told = [how_it_ends(call) for call in open_calls]
    ended.set()
    reason = (grpc.StatusCode.RESOURCE_EXHAUSTED, "Too much is in batches that lack their last part.")
    assert sorted(told, key=str) == sorted([reason, *[None] * (calls - 1)], key=str)
    assert answers(stub, [batch(stream)]).popitem()[1].WhichOneof("result") == "success"


def unfinished_ones(requests: Iterable[BatchAppendReq], ended: threading.Event) -> Iterator[BatchAppendReq]:
    yield from requests
    ended.wait(20)


def how_it_ends(call: Iterator[BatchAppendResp]) -> tuple[grpc.StatusCode, str | None] | None:
    """Why a call ends; None where its first batches are only given up."""
    try:
        next(call)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return None


def test_a_call_whose_answers_nobody_reads_takes_little_memory_and_ends() -> None:
    with EventStoreProcess(None) as process, grpc.insecure_channel(f"127.0.0.1:{process.port}") as channel:
        unread = StreamsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations
        before = resident_bytes(process)
        sent = threading.Event()
        call = unread.BatchAppend(refused_ones(6000, sent))
        assert sent.wait(30)  # the connection takes them all only once the call has ended
        assert resident_bytes(process) - before < 60_000_000
        with pytest.raises(grpc.RpcError) as ended:
            list(call)
    assert ended.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ended.value.details() == "Too many answers to batches are not read."


def refused_ones(count: int, sent: threading.Event) -> Iterator[BatchAppendReq]:
    """Batches with long names, which come back with the answers."""
    for _ in range(count):
        yield batch("x" * MOST_NAME_BYTES, expected=9)
    sent.set()
