"""Appends as fast as one open `BatchAppend` call takes them: a bare stub, with nothing decided, folded or looked up."""

from collections.abc import Callable
from queue import SimpleQueue
from time import perf_counter
from typing import Final
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq

from infrastructure.eventstore.record import NewRecord

_BATCH_APPEND: Final = "/event_store.client.streams.Streams/BatchAppend"


def append_on_one_call(target: str, request: Callable[[int], bytes], in_flight: int, seconds: float) -> int:
    """Sends one more append for every answer until the time is up; how many were answered.

    `request` makes the append of that number, from 0.
    """
    requests: SimpleQueue[bytes | None] = SimpleQueue()
    end = perf_counter() + seconds
    with grpc.insecure_channel(target) as channel:
        call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(_BATCH_APPEND)
        answers = call(iter(requests.get, None))
        for number in range(in_flight):
            requests.put(request(number))
        answered, sent = 0, in_flight
        while answered < sent:
            next(answers)
            answered += 1
            if perf_counter() < end:
                requests.put(request(sent))
                sent += 1
        requests.put(None)
        return answered


def append_request(stream: str, event: NewRecord) -> bytes:
    """An append of this event to the stream, whatever its version, under a new id."""
    request = BatchAppendReq(is_final=True)
    request.correlation_id.string = str(uuid4())
    request.options.stream_identifier.stream_name = stream.encode()
    request.options.any.SetInParent()
    message = request.proposed_messages.add(data=event.data, custom_metadata=event.metadata)
    message.id.string = str(uuid4())
    message.metadata.update({"type": event.type, "content-type": "application/json"})
    return request.SerializeToString()
