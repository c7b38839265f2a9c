"""A connection that speaks HTTP/1.1: its requests are answered one after the other."""

import asyncio
from typing import cast

import httptools

from infrastructure.embedded.eventstoredb.http.endpoints import Endpoints, Response

_MOST_REQUEST_BYTES = 64 * 1024
_IDLE_SECONDS = 30.0
_REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class HttpConnection(asyncio.Protocol):
    """Answers until the client closes, sends invalid HTTP or too much of it, or is idle for a while."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._idle: asyncio.TimerHandle | None = None
        self._target = b""
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._restart_idle_timer()

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()  # it was answered; what it wants to speak from now on we do not
        except httptools.HttpParserError:
            self._end(Response(400))
        if self._size > _MOST_REQUEST_BYTES:
            self._end(Response(431))

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def connection_lost(self, _: BaseException | None) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def on_message_begin(self) -> None:
        """Called by the parser, as what follows is."""
        self._target = b""

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        response = self._endpoints.answer(method, self._target.decode("latin-1"))
        keep = self._parser.should_keep_alive()
        self._send(response, with_body=method != "HEAD", keep=keep)
        self._size = 0
        self._restart_idle_timer()

    def _send(self, response: Response, *, with_body: bool, keep: bool) -> None:
        if self._transport.is_closing():
            return
        reason = _REASONS.get(response.status, "Not Available")
        lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in response.headers())]
        lines += [] if keep else ["connection: close"]
        head = "\r\n".join([*lines, "", ""]).encode()
        self._transport.write(head + (response.body if with_body else b""))
        if not keep:
            self._transport.close()

    def _end(self, response: Response) -> None:
        self._send(response, with_body=True, keep=False)

    def _restart_idle_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._transport.close)
