"""One gRPC call as our services see it: requests in, framed responses out, failures as statuses."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

import structlog
from google.protobuf.message import DecodeError, Message
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.server import Stream
from h2.exceptions import ProtocolError

from infrastructure.embedded.eventstoredb.storage.frames import frame

Request = TypeVar("Request", bound=Message)
MAX_REQUEST_BYTES = 16 * 1024 * 1024 - 10_000
_MAX_OTHER_REQUEST_BYTES = 4 * 1024 * 1024
_STREAMS = "event_store.client.streams."
# Clients take eight kibibytes of headers, in which a byte may become three; and to pack megabytes takes minutes.
_MOST_DETAIL_BYTES = 1024
_CANCEL_SECONDS = 1.0
_FINISH_SECONDS = 2.0
logger = structlog.get_logger()


class Failure(Exception):
    """How a call ends when it does not end well; trailers are for clients that read them."""

    def __init__(self, status: Status, details: str, trailers: Mapping[str, str] | None = None) -> None:
        super().__init__(details)
        self.status, self.details, self.trailers = status, details, dict(trailers or {})


def thrown_by_handler() -> Failure:
    """What EventStoreDB says to requests that it did not foresee."""
    return Failure(Status.UNKNOWN, "Exception was thrown by handler.")


class Call(Generic[Request]):
    """Sends whole frames, many messages at once, at the pace of the client's flow control.

    `grpclib` frames and writes message by message; the stream below it takes any bytes.
    """

    def __init__(self, stream: Stream[Any, Any], request: type[Request]) -> None:
        self._stream, self._request = stream, request
        self._transport = stream._stream
        is_of_streams = request.DESCRIPTOR.full_name.startswith(_STREAMS)
        self._most_bytes = MAX_REQUEST_BYTES if is_of_streams else _MAX_OTHER_REQUEST_BYTES

    @property
    def connection_name(self) -> str:
        """What the client calls its connection, if it says."""
        headers = self._stream.metadata
        return "" if headers is None else str(headers.get("connection-name", ""))

    @property
    def authorization(self) -> str:
        """The header by which a client says who it is; empty if it does not."""
        headers = self._stream.metadata
        return "" if headers is None else str(headers.get("authorization", ""))

    @property
    def peer(self) -> str:
        """Host and port of the client."""
        address = self._stream.peer.addr()
        return ":".join(map(str, address[:2])) if address else ""

    @property
    def connection(self) -> object:
        """The same for all calls on a connection."""
        return self._transport.connection

    @property
    def is_overdue(self) -> bool:
        """Whether the library is ending the call at the client's deadline; its timer may be a millisecond early."""
        wrapper = self._transport.wrapper
        return wrapper is not None and isinstance(wrapper._error, TimeoutError)

    async def receive(self) -> Request | None:
        """The next request; None once the client has said its last. Raises Failure."""
        try:
            head = await self._transport.recv_data(5)
            if not head:
                return None
            return self._request.FromString(await self._transport.recv_data(_size(head, self._most_bytes)))
        except (DecodeError, AssertionError) as error:  # the library asserts that all bytes came
            raise thrown_by_handler() from error

    async def requests(self) -> AsyncIterator[Request]:
        """All requests until the client half-closes. Raises Failure."""
        while (request := await self.receive()) is not None:
            yield request

    async def send(self, *responses: Message) -> None:
        """Sends messages together."""
        await self.send_frames(b"".join([frame(response.SerializeToString()) for response in responses]))

    async def send_frames(self, frames: bytes) -> None:
        """Sends messages that are framed already; returns when the connection has taken them all."""
        if not self._stream._send_initial_metadata_done:
            await self._stream.send_initial_metadata()
        if frames:
            await self._transport.send_data(frames)
            self._stream._send_message_done = True

    async def fail(self, failure: Failure) -> None:
        """Ends the call with a status, if the client is still there; trailers beyond ASCII are percent-encoded.

        What is too long for a header, as the name of a stream may be, loses its middle.
        """
        trailers = {key: quote(_cut(value), safe=_PRINTABLE) for key, value in failure.trailers.items() if value}
        with suppress(ProtocolError, ConnectionError, TimeoutError):
            async with asyncio.timeout(_CANCEL_SECONDS):
                await self._stream.send_trailing_metadata(
                    status=failure.status, status_message=_cut(failure.details), metadata=trailers
                )


def _cut(text: str) -> str:
    return text if len(text.encode()) <= _MOST_DETAIL_BYTES else f"{text[:200]}…{text[-100:]}"


def _size(head: bytes, most: int) -> int:
    """How long a message is, from the five bytes before it. Raises Failure."""
    size = int.from_bytes(head[1:], "big")
    if head[0]:
        raise Failure(Status.UNIMPLEMENTED, "Compressed messages are not supported.")
    if size > most:
        reason = "Received message exceeds the maximum configured message size."
        raise Failure(Status.RESOURCE_EXHAUSTED, reason)
    return size


_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
Work: TypeAlias = Callable[[Call[Any]], Awaitable[None]]
# Wraps a method; the second is what answers callers who may not call it (None: the usual refusal).
Admission: TypeAlias = Callable[[Work, Work | None], Work]


def everyone(work: Work, _: Work | None) -> Work:
    """The admission of a server without users."""
    return work


class Calls:
    """The calls in progress, so that a stop can end them in order and tell their clients."""

    def __init__(self, admission: Admission = everyone) -> None:
        self._admission = admission
        self._running: dict[asyncio.Task[Any], bool] = {}
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether new calls are refused already."""
        return self._stopping

    def handler(
        self,
        work: Work,
        cardinality: Cardinality,
        request: type[Message],
        response: type[Message],
        *,
        denied: Work | None = None,
    ) -> Handler:
        """A method of a service, for the server's table of them; `denied` answers those who may not call it."""
        admitted = self._admission(work, denied)

        async def serve(stream: Stream[Any, Any]) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running[task] = cardinality.server_streaming
            try:
                await self._answer(admitted, Call(stream, request))
            finally:
                del self._running[task]

        return Handler(serve, cardinality, request, response)

    async def stop(self) -> None:
        """Ends streams at once and other calls when they are done, or after a while."""
        self._stopping = True
        for task, endless in list(self._running.items()):
            if endless:
                task.cancel()
        for seconds in (_FINISH_SECONDS, _CANCEL_SECONDS):
            if self._running:
                await asyncio.wait(list(self._running), timeout=seconds)
            for task in list(self._running):
                task.cancel()

    async def _answer(self, work: Work, call: Call[Any]) -> None:
        try:
            await (_refuse() if self._stopping else work(call))
        except Failure as failure:
            await call.fail(failure)
        except asyncio.CancelledError:
            if self._stopping:
                await call.fail(_stopped())
                return
            if call.is_overdue:
                await call.fail(Failure(Status.DEADLINE_EXCEEDED, "Deadline Exceeded"))
            raise
        except (StreamTerminatedError, ProtocolError, ConnectionError) as error:
            raise GRPCError(Status.CANCELLED) from error  # the client has gone
        except sqlite3.OperationalError as error:  # reading failed: a lock of another process, or the disk
            logger.warning("log_read_failed", error=str(error))
            await call.fail(Failure(Status.UNAVAILABLE, f"Server Is Not Ready: {error}"))
        except Exception:
            logger.exception("call_failed")
            await call.fail(thrown_by_handler())


async def _refuse() -> None:
    raise _stopped()


def _stopped() -> Failure:
    return Failure(Status.UNAVAILABLE, "Server Is Shutting Down")
