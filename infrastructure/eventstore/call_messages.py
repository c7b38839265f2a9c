"""The messages of a call that a thread reads for itself, without what the library does for calls that threads share."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Any, Final, Self

import grpc
from esdbclient.protos.Grpc.streams_pb2 import ReadResp
from grpc._channel import _handle_event, _SingleThreadedRendezvous
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # it has no stub

_RECEIVED = cygrpc.OperationType.receive_message


class ReadCalls(grpc.UnaryStreamClientInterceptor):
    """Makes each call of a channel that is read so a `ReadCall`."""

    def intercept_unary_stream(
        self,
        continuation: Callable[[grpc.ClientCallDetails, Any], Any],
        client_call_details: grpc.ClientCallDetails,
        request: Any,
    ) -> Any:
        """The call, but where the library makes it another kind."""
        call = continuation(client_call_details, request)
        return ReadCall(call) if isinstance(call, _SingleThreadedRendezvous) else call


class ReadCall:
    """A call that leaves nothing behind, however it ends. It is read by one thread; another may cancel it.

    gRPC keeps a call, and with it its channel, until the last of its events was taken. Nobody asks for those that are
    left where it was cancelled or has failed, and a channel that is kept goes on connecting after it was closed.
    """

    def __init__(self, call: Any) -> None:
        self._call: Final = call
        self._is_read = False  # true to the end where a read was interrupted: nobody knows then which events are left
        self._taking: Final = Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        self._is_read = True
        try:
            message = next(self._call)
        except (StopIteration, grpc.RpcError):
            self._take_rest()
            raise
        self._is_read = False
        return message

    def messages(self) -> Iterator[ReadResp]:
        """Those that are still to come.

        For each, the library's iterator takes and leaves four locks, which costs two fifths of reading it. Here the
        call is asked itself, and whatever is not a message, as its end, is left to the library. Raises what its
        iterator raises.
        """
        call, receive, parse = self._call, (cygrpc.ReceiveMessageOperation(0),), ReadResp.FromString
        core, state = call._call, call._state
        self._is_read = True
        try:
            while state.code is None and core.operate(receive, None):
                event = core.next_event()
                operation = event.batch_operations[0]
                message = operation.message() if operation.type() == _RECEIVED else None
                if message is None:
                    yield from self._left_to_library(event)
                    break
                self._is_read = False
                yield parse(message)
                self._is_read = True
        except grpc.RpcError:
            self._take_rest()
            raise
        yield from self

    def cancel(self) -> None:
        """Ends it. Where a thread waits for its next message, that takes what is left."""
        self._call.cancel()
        if not self._is_read:
            self._take_rest()

    def _left_to_library(self, event: Any) -> Iterator[ReadResp]:
        """What comes of it: it is told that a message was asked for, and of the event that came."""
        with self._call._state.condition:
            self._call._state.due.add(_RECEIVED)
            _handle_event(event, self._call._state, self._call._response_deserializer)
        with suppress(StopIteration):
            message = self._call._next_response()
            self._is_read = False
            yield message

    def _take_rest(self) -> None:
        """It has ended, so that all its events are there."""
        with self._taking:
            while self._call._state.due:
                self._call._consume_next_event()


def messages_of(call: Any) -> Iterator[ReadResp]:
    """Those that are still to come, to be read by one thread; `call.cancel` may be called by another."""
    yield from call.messages() if isinstance(call, ReadCall) else call
