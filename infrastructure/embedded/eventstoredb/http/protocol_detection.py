"""Detects by its first bytes whether a new connection speaks HTTP/2 or HTTP/1.1, and hands it on."""

import asyncio
from collections.abc import Callable
from typing import cast

# What every HTTP/2 client says first (RFC 9113, 3.4).
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SILENT_SECONDS = 30.0


class ProtocolDetector(asyncio.Protocol):
    """A connection whose protocol is not known yet; it is closed after half a minute of silence."""

    def __init__(self, calls: Callable[[], asyncio.Protocol], endpoints: Callable[[], asyncio.Protocol]) -> None:
        self._calls, self._endpoints = calls, endpoints
        self._first = b""
        self._transport: asyncio.Transport
        self._timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timeout = asyncio.get_running_loop().call_later(_SILENT_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        self._first += data
        if self._first.startswith(_PREFACE):
            self._hand_on(self._calls())
        elif not _PREFACE.startswith(self._first):
            self._hand_on(self._endpoints())

    def connection_lost(self, _: BaseException | None) -> None:
        self._cancel_timeout()

    def _hand_on(self, protocol: asyncio.Protocol) -> None:
        self._cancel_timeout()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._first)

    def _cancel_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
