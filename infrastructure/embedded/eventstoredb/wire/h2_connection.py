"""A connection of the gRPC library, made fair: a client that sends much does not keep others waiting."""

import asyncio
import time
from typing import cast

from grpclib.protocol import H2Protocol
from h2.events import UnknownFrameReceived

from infrastructure.embedded.eventstoredb.wire.coalescing_transport import CoalescingTransport

# Frames are read in pieces, for a while; then others have their turn. A piece of the smallest takes milliseconds.
_PIECE_BYTES = 4096
_TURN_SECONDS = 0.002


class H2Connection(H2Protocol):
    """Coalesces what it writes, and reads no more than it can work off."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._unread = memoryview(b"")
        self._is_paused = False
        super().connection_made(cast("asyncio.Transport", CoalescingTransport(self._transport)))
        # Frames of unknown kinds are to be ignored (RFC 9113, 5.5); the library would end the connection.
        self.processor.processors[UnknownFrameReceived] = _ignore

    def data_received(self, data: bytes) -> None:
        if not self._unread and len(data) <= _PIECE_BYTES:
            super().data_received(data)
            return
        is_idle = not self._unread
        self._unread = memoryview(bytes(self._unread) + data)
        if is_idle:
            self._work()

    def _work(self) -> None:
        is_sound = False
        try:
            self._read_for_a_turn()
            is_sound = True
        finally:
            if not is_sound:
                self._transport.abort()  # as the event loop does where it calls itself
        if self._transport.is_closing():
            self._unread = memoryview(b"")
            return
        if self._unread:
            asyncio.get_running_loop().call_soon(self._work)
        self._pause(bool(self._unread))

    def _read_for_a_turn(self) -> None:
        until = time.monotonic() + _TURN_SECONDS
        while self._unread and not self._transport.is_closing() and time.monotonic() < until:
            piece, self._unread = self._unread[:_PIECE_BYTES], self._unread[_PIECE_BYTES:]
            super().data_received(bytes(piece))

    def _pause(self, wanted: bool) -> None:
        if wanted != self._is_paused:
            self._is_paused = wanted
            (self._transport.pause_reading if wanted else self._transport.resume_reading)()


def _ignore(_: UnknownFrameReceived) -> None:
    pass
