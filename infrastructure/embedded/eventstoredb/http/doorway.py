"""Finds out what a new connection speaks, by its first bytes, and hands it on: calls or pages."""

import asyncio
from collections.abc import Callable
from typing import cast

# What every HTTP/2 client says first (RFC 9113, 3.4).
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SILENT_SECONDS = 30.0


class Doorway(asyncio.Protocol):
    """A connection until it is known which of the two it is; it has half a minute to show."""

    def __init__(self, calls: Callable[[], asyncio.Protocol], pages: Callable[[], asyncio.Protocol]) -> None:
        self._calls, self._pages = calls, pages
        self._first = b""
        self._transport: asyncio.Transport
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._patience = asyncio.get_running_loop().call_later(_SILENT_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        self._first += data
        if self._first.startswith(_PREFACE):
            self._hand_on(self._calls())
        elif not _PREFACE.startswith(self._first):
            self._hand_on(self._pages())

    def connection_lost(self, _: BaseException | None) -> None:
        self._be_patient()

    def _hand_on(self, protocol: asyncio.Protocol) -> None:
        self._be_patient()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._first)

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
