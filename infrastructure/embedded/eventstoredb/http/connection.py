"""A connection that speaks HTTP/1.1: it gets pages, one after the other."""

import asyncio
from typing import cast

import httptools

from infrastructure.embedded.eventstoredb.http.pages import Page, Pages

_MOST_REQUEST_BYTES = 64 * 1024
_IDLE_SECONDS = 30.0
_REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class HttpConnection(asyncio.Protocol):
    """Answers until the client has had enough, sends rubbish, too much, or nothing for a while."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._idle: asyncio.TimerHandle | None = None
        self._target = b""
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()  # it was answered; what it wants to speak from now on we do not
        except httptools.HttpParserError:
            self._end(Page(400))
        if self._size > _MOST_REQUEST_BYTES:
            self._end(Page(431))

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
        page = self._pages.answer(method, self._target.decode("latin-1"))
        keep = self._parser.should_keep_alive()
        self._send(page, with_body=method != "HEAD", keep=keep)
        self._size = 0
        self._wait()

    def _send(self, page: Page, *, with_body: bool, keep: bool) -> None:
        if self._transport.is_closing():
            return
        reason = _REASONS.get(page.status, "Not Available")
        lines = [f"HTTP/1.1 {page.status} {reason}", *(f"{name}: {value}" for name, value in page.headers())]
        lines += [] if keep else ["connection: close"]
        head = "\r\n".join([*lines, "", ""]).encode()
        self._transport.write(head + (page.body if with_body else b""))
        if not keep:
            self._transport.close()

    def _end(self, page: Page) -> None:
        self._send(page, with_body=True, keep=False)

    def _wait(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._transport.close)
