"""HTTP/1.1 as uvicorn speaks it, within bounds on heads, trailers and times; refusals are problems, like all others."""

import asyncio
from functools import partial
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.http.middleware.early_refusal import early_refusal
from service.http.middleware.head_bounds import HeadBounds, Part
from service.http.middleware.open_connections import OpenConnections
from service.http.middleware.parser_errors import refusal_of
from service.http.middleware.request_heads import path_of, require_host, require_method, require_version, unreadable
from service.http.middleware.send_deadline import SendDeadline
from service.http.problems import Problem
from service.settings import Settings

_LINGER_SECONDS: Final = 2.0  # after a refusal: closed at once, what the client still sends would destroy the answer
_LINGER_BYTES: Final = 16 * 1024 * 1024
_MOST_PIPELINED: Final = 64  # requests that wait for the answer to another on their connection
_LONGEST_METHOD: Final = 32  # bytes, with the space after it
_GRACE_SECONDS: Final = 1.0  # in which a late body is refused by who waits for it
_DRAIN_SECONDS: Final = 1.0  # for what is on its way on a connection that rests, when the API stops
_READ_AT_STOP_SECONDS: Final = 3.0  # for answers, when the API stops; requests under way have a second more
_FRAMING: Final = (b"content-length", b"transfer-encoding")


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Refuses what can't be read as HTTP, is too large or comes too late, and ends it.

    The parser keeps nothing but the header it is in, so a bound on the bytes that it gets without a result is one on
    its memory and time. Of one that `is_stopping` the next answer is the last one.
    """

    def __init__(self, settings: Settings, connections: OpenConnections, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._settings: Final = settings
        self._connections: Final = connections
        self._bounds: Final = HeadBounds(settings)
        self._begun = self._refused = self._repeating_head = self.is_stopping = False
        self._part: Part = "head"
        self._unparsed_bytes = self._dropped = 0
        self._first_bytes = b""  # of a request, where the client sent them at once
        self._timer: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None
        self._last_whole: RequestResponseCycle | None = None  # of the requests that came whole

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._sending = SendDeadline(transport, self._settings.send_seconds, partial(self._end_unread, "send-timeout"))
        self._set_timer(self._settings.head_seconds, self._end_late_head)
        self._connections.admit(self, self.client[0] if self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._running is not None:  # uvicorn tells only the newest, which may be queued
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_timer()
        self._sending.stop()
        self._connections.forget(self)

    def close(self) -> None:
        """Ends the connection at once, whatever the client has not read yet."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Ends the connection when all is answered: the API stops. For a client that does not read, it waits less.

        One that rests may be sent a request at this moment: that is answered, as the last one.
        """
        self.is_stopping = True
        rests = self._running is None or self._is_all_answered()
        self.loop.call_later(_DRAIN_SECONDS if rests else 0.0, super().shutdown)
        self._sending.end_in(_READ_AT_STOP_SECONDS, partial(self._end_unread, "stop"))

    def _end_unread(self, reason: str) -> None:
        self._connections.note_closed(self, reason)
        self.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._connections.await_reading(self)
        self._sending.start()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._connections.note_read(self)
        if not self.transport.is_closing():
            self._sending.stop()
            self._rest_if_done()

    def timeout_keep_alive_handler(self) -> None:
        self._end()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refused:
            self._drop(len(data))
            return
        size, rest = self._settings.head_bytes, memoryview(data)
        while len(rest) > 0 and self._is_listening():
            self._feed(rest[:size])
            rest = rest[size:]
        if self._timer is None and self._is_listening():
            self._await_the_rest()

    def on_message_begin(self) -> None:
        if not self._repeating_head:
            super().on_message_begin()
            self._begun = True
            self._bounds.begin()

    def on_url(self, url: bytes) -> None:
        if self._repeating_head:
            return
        super().on_url(url)
        self._bounds.add_to_url(len(url), len(self.url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of a head; of trailers, which are counted alike, it takes nothing over."""
        if self._repeating_head:
            return
        value = value.strip(b" \t")
        self._bounds.add_field(len(name) + len(value), self._part)
        if self._part == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._repeating_head:
            return
        version, method = self.parser.get_http_version(), self.parser.get_method().decode()
        require_version(version, self.headers)
        require_method(method)
        require_host(self.headers, version)
        self.url = path_of(method, self.url)
        self.expect_100_continue &= version != "1.0"  # which does not know it (RFC 9110, 10.1.1)
        if len(self.pipeline) >= _MOST_PIPELINED:
            raise unreadable("has too many requests before it that are not answered yet")
        self._part, self._unparsed_bytes = "body", 0
        self._stop_timer()
        self._connections.take_up(self)
        super().on_headers_complete()
        if self.is_stopping:
            self.cycle.keep_alive = False

    def on_chunk_header(self) -> None:
        self._part = "trailers"  # unless a body follows

    def on_body(self, body: bytes) -> None:
        self._part, self._unparsed_bytes = "body", 0
        if self.cycle.response_complete:
            self._drop(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # to no other protocol: its body follows, if it has one
        self._stop_timer()
        self._connections.take_up(self)
        self._begun, self._part = False, "head"
        self._unparsed_bytes = self._dropped = 0
        self._last_whole, self._first_bytes = self.cycle, b""
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._begun or self._unparsed_bytes:
            self._unset_keepalive_if_required()  # it doesn't rest: the next request has a time of its own
        self._rest_if_done()
        if self.transport.is_closing():
            self._sending.start()

    def refuse(self, problem: Problem) -> None:
        """Answers with the problem, unless requests before it wait for their answers, and ends the connection."""
        self._refused = True
        self._stop_timer()
        if self._last_whole is not None and not self._last_whole.response_complete:
            self._end_after(self._last_whole)
            return
        cycle: RequestResponseCycle | None = self.cycle
        if not _is_unanswered(cycle):
            self._end()
            return
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # whoever waits for the rest of its body
            cycle.message_event.set()
        self.transport.write(self._refusal(problem))
        self.transport.write_eof()
        self._set_timer(_LINGER_SECONDS, self.close)

    def _end_after(self, last: RequestResponseCycle) -> None:
        """Makes this answer the last one; a request after it is not begun."""
        if self.cycle is not last:
            self.pipeline.popleft()
            self.cycle = last
        last.keep_alive = False
        self.flow.pause_reading()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _rest_if_done(self) -> None:
        """Notes that no request is there, and that the client has read its answers."""
        busy = self._begun or self._unparsed_bytes or self.flow.write_paused or self.transport.is_closing()
        if self._is_all_answered() and not busy:
            self._connections.rest(self)

    def _is_all_answered(self) -> bool:
        return self._running is not None and self._running.response_complete and not self.pipeline

    def _end(self) -> None:
        """Ends the connection once the client has read what was sent."""
        self.transport.close()
        self._sending.start()

    def _is_listening(self) -> bool:
        return not self._refused and not self.transport.is_closing()

    def _feed(self, piece: memoryview) -> None:
        if not self._begun and not self._unparsed_bytes:
            self._first_bytes = bytes(piece[:_LONGEST_METHOD])
        self._unparsed_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
            self._bounds.require_result(self._unparsed_bytes, self._part)
        except Problem as problem:
            self.refuse(problem)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay_with_http()
            self._feed(piece[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, Problem):  # of what was raised above
                raise
            self.refuse(error.__context__)
        except httptools.HttpParserError as error:
            field = "header" if self._part == "head" else "trailer"
            self.refuse(refusal_of(error, self._first_bytes, field))

    def _stay_with_http(self) -> None:
        """Ignores a wish for another protocol, which stops the parser before the body: another one goes on there."""
        framing = b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] in _FRAMING)
        self.parser, self._repeating_head = httptools.HttpRequestParser(self), True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")
        self._repeating_head = False

    def _await_the_rest(self) -> None:
        """Sets a time for what has begun: a body, or a head, of which an empty line before it is enough."""
        if self._part != "head":
            self._set_timer(self._settings.body_seconds + _GRACE_SECONDS, self._end_late_body)
            self._connections.await_body(self)
        elif self._begun or self._unparsed_bytes:
            self._set_timer(self._settings.head_seconds, self._end_late_head)
            self._connections.await_head(self)
        elif self.timeout_keep_alive_task is None and self._is_all_answered():
            rest = self.timeout_keep_alive  # the answer came before the end of the body
            self.timeout_keep_alive_task = self.loop.call_later(rest, self.timeout_keep_alive_handler)
            self._rest_if_done()

    def _end_late_head(self) -> None:
        if not self._is_listening():
            return
        self._connections.note_closed(self, "head-timeout")
        if self._begun:
            self.refuse(Problem("request-timeout", f"A head has to come within {self._settings.head_seconds} s."))
        else:
            self._end()

    def _end_late_body(self) -> None:
        """For a body that nobody waits for: the answer came without it, or will."""
        self.cycle.keep_alive = False
        if self.cycle.response_complete:
            self._end()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > _LINGER_BYTES:
            self._end()

    def _set_timer(self, seconds: float, end: Any) -> None:
        self._timer = self.loop.call_later(seconds, end)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refusal(self, problem: Problem) -> bytes:
        self._connections.count_unreadable(problem.rule)
        headers, url = (self.headers, self.url) if self._begun else ([], b"")
        return early_refusal(problem, headers, url, self.parser.get_method() if url else b"")


def _is_unanswered(cycle: RequestResponseCycle | None) -> bool:
    """Whether a refusal can be sent: nothing may be written into an answer that has begun."""
    return cycle is None or not cycle.more_body or not cycle.response_started
