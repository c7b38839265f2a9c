"""An event store that never answers: it counts the calls that it holds, and knows which connection each came on."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc
from esdbclient.protos.Grpc.shared_pb2 import WrongExpectedVersion
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp

CALLS_PER_CONNECTION: Final = 100  # as EventStoreDB allows


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, as it came, and on which connection."""

    request: bytes
    connection: str


class SilentStore(grpc.GenericRpcHandler):
    """Holds every call until its caller gives up; `seen` are all that came, `held` those of the moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seen: list[Call] = []
        self.held: list[Call] = []
        self.most_held: dict[str, int] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_stream_rpc_method_handler(self._hold)

    def _hold(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        given_up = threading.Event()
        call = Call(request, context.peer())
        with self._lock:
            self.seen.append(call)
            self.held.append(call)
            held = sum(each.connection == call.connection for each in self.held)
            self.most_held[call.connection] = max(held, self.most_held.get(call.connection, 0))
        if context.add_callback(given_up.set):
            given_up.wait(60)
        with self._lock:
            self.held.remove(call)
        yield from ()


class UnreadableStore(SilentStore):
    """Takes every append but those to a version that its streams don't have, and holds every other call."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if not handler_call_details.method.endswith("/BatchAppend"):
            return super().service(handler_call_details)
        return grpc.stream_stream_rpc_method_handler(
            self._take, BatchAppendReq.FromString, BatchAppendResp.SerializeToString
        )

    def _take(self, requests: Iterator[BatchAppendReq], _: grpc.ServicerContext) -> Iterator[BatchAppendResp]:
        for request in requests:
            answer = BatchAppendResp(correlation_id=request.correlation_id)
            if request.options.stream_position:
                answer.error.details.Pack(WrongExpectedVersion())
            else:
                answer.success.current_revision = 0
            yield answer


class RefusingStore(grpc.GenericRpcHandler):
    """Refuses every call with a status, at first one of no use; `seen` are the methods that were called."""

    def __init__(self, status: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION) -> None:
        self._status = status
        self.seen: list[str] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        self.seen.append(handler_call_details.method)
        return grpc.unary_stream_rpc_method_handler(self._refuse)

    def _refuse(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(self._status, "not in this state")


@contextmanager
def running(handler: grpc.GenericRpcHandler, *options: tuple[str, int]) -> Iterator[str]:
    """The URI of a server that treats every call so, with these options of gRPC."""
    options = (("grpc.max_concurrent_streams", CALLS_PER_CONNECTION), *options)
    with ThreadPoolExecutor(400) as threads:
        server = grpc.server(threads, handlers=[handler], options=options)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"esdb://127.0.0.1:{port}?tls=false"
        finally:
            server.stop(0).wait(10)


@contextmanager
def silent() -> Iterator[str]:
    """An address where somebody listens and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
