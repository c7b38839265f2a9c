"""What comes in on a connection: calls of our methods, of methods that we do not have, and other requests."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from esdbclient.protos.Grpc import shared_pb2
from grpclib import const
from grpclib.const import Cardinality, Status
from grpclib.metadata import decode_timeout
from grpclib.protocol import Stream
from grpclib.server import Handler, request_handler
from h2.exceptions import ProtocolError

from infrastructure.embedded.eventstoredb.http.endpoints import Endpoints
from infrastructure.embedded.eventstoredb.wire.calls import Call, Calls, Failure

_CLIENT = "event_store.client"
_NOT_OFFERED = {
    f"{_CLIENT}.monitoring.Monitoring": "The embedded event store has no statistics.",
    f"{_CLIENT}.operations.Operations": "The embedded event store has no operations: nothing is ever scavenged.",
    f"{_CLIENT}.users.Users": "The embedded event store's users are set with `foldstream eventstore passwd`.",
}
_SHORTEST = 0.001  # seconds
Headers = list[tuple[str, str]]


class RequestHandler(Handler):
    """The library's handler of one connection, which knows what to say to requests that have no method."""

    def __init__(self, *library: Any, calls: Calls, endpoints: Endpoints) -> None:
        super().__init__(*library)
        self._calls, self._endpoints = calls, endpoints

    def accept(self, stream: Stream, headers: Headers, release_stream: Callable[[], Any]) -> None:
        """Begins to answer a request, and forgets it when that is over, also if it was taken back before."""
        release = _once(release_stream)
        self._begin(stream, headers, release)
        self._tasks[stream].add_done_callback(lambda _: release())

    def _begin(self, stream: Stream, headers: Headers, release_stream: Callable[[], Any]) -> None:
        fields = dict(headers)
        path = fields.get(":path", "")
        if fields.get(":method") in {"GET", "HEAD"}:
            answering = self._answer_http(stream, fields[":method"], path, release_stream)
            self._tasks[stream] = self.loop.create_task(answering)
        elif path not in self.mapping:
            self._refuse(stream, headers, self._not_offered(path), release_stream)
        elif _is_over(headers):
            untimed = [(name, value) for name, value in headers if name != "grpc-timeout"]
            self._refuse(stream, untimed, Failure(Status.DEADLINE_EXCEEDED, "Deadline Exceeded"), release_stream)
        else:
            super().accept(stream, headers, release_stream)

    def _refuse(self, stream: Stream, headers: Headers, failure: Failure, release: Callable[[], Any]) -> None:
        mapping = {dict(headers).get(":path", ""): self._failing(failure)}
        library = (self.codec, self.status_details_codec, self.dispatch)
        self._tasks[stream] = self.loop.create_task(request_handler(mapping, stream, headers, *library, release))

    def _not_offered(self, path: str) -> Failure:
        service = path.removeprefix("/").rpartition("/")[0]
        known = any(method.startswith(f"/{service}/") for method in self.mapping)
        reason = _NOT_OFFERED.get(service, f"{'Method' if known else 'Service'} is unimplemented.")
        return Failure(Status.UNIMPLEMENTED, reason)

    def _failing(self, failure: Failure) -> const.Handler:
        async def say_so(_: Call[Any]) -> None:
            raise failure

        empty = shared_pb2.Empty
        return self._calls.handler(say_so, Cardinality.UNARY_UNARY, empty, empty, denied=say_so)

    async def _answer_http(self, stream: Stream, method: str, path: str, release: Callable[[], Any]) -> None:
        """An endpoint's response to a client that speaks HTTP/2 with us because TLS let it choose."""
        response = self._endpoints.answer(method, path)
        body = response.body if method == "GET" else b""
        try:
            with suppress(ProtocolError, asyncio.CancelledError):
                await stream.send_headers([(":status", str(response.status)), *response.headers()], end_stream=not body)
                if body:
                    await stream.send_data(body, end_stream=True)
        finally:
            release()


def _is_over(headers: Headers) -> bool:
    """Whether a call's time is shorter than a timer's: where it has passed, the library fails before it calls us."""
    try:
        return any(decode_timeout(value) < _SHORTEST for name, value in headers if name == "grpc-timeout")
    except ValueError:  # which the library refuses
        return False


def _once(work: Callable[[], Any]) -> Callable[[], None]:
    """Work that may be asked for twice."""
    waiting = [work]

    def do() -> None:
        if waiting:
            waiting.pop()()

    return do
