"""The messages of a call that a thread reads for itself, without what the library does for calls that threads share."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from esdbclient.protos.Grpc.streams_pb2 import ReadResp
from grpc._channel import _handle_event, _SingleThreadedRendezvous
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # it has no stub

_RECEIVED = cygrpc.OperationType.receive_message


def messages_of(call: Any) -> Iterator[ReadResp]:
    """Those that are still to come, to be read by one thread; `call.cancel` may be called by another.

    For each, the library's iterator takes and leaves four locks, which costs two fifths of reading it. Here the call is
    asked itself, and whatever is not a message, as its end, is left to the library. Raises what its iterator raises.
    """
    if not isinstance(call, _SingleThreadedRendezvous):
        yield from call
        return
    core, receive, parse = call._call, (cygrpc.ReceiveMessageOperation(0),), ReadResp.FromString
    while call._state.code is None and core.operate(receive, None):
        event = core.next_event()
        operation = event.batch_operations[0]
        message = operation.message() if operation.type() == _RECEIVED else None
        if message is None:
            yield from _left_to_library(call, event)
            break
        yield parse(message)
    yield from call


def _left_to_library(call: Any, event: Any) -> Iterator[ReadResp]:
    """What comes of it: it is told that a message was asked for, and of the event that came."""
    with call._state.condition:
        call._state.due.add(_RECEIVED)
        _handle_event(event, call._state, call._response_deserializer)
    with suppress(StopIteration):
        yield call._next_response()
