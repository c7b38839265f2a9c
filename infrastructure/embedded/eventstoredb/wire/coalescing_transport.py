"""Sends what one turn of the event loop writes to a connection in one piece: answers to many calls come together."""

import asyncio
from typing import Any

_MOST_BYTES = 64 * 1024
# A page for each of the hundred calls that a connection may have; flow control holds the rest back.
_MOST_UNSENT_BYTES = 32 * 1024 * 1024
_LINGER_SECONDS = 5.0


class CoalescingTransport:
    """A transport as the gRPC library uses it, before the one that sends.

    The library writes every frame by itself, and each would be a system call here and a wake-up at the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._frames: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        if not self._frames:
            self._loop.call_soon(self._send)
        self._frames.append(data)
        self._size += len(data)
        if self._size >= _MOST_BYTES:
            self._send()

    def close(self) -> None:
        """What is unsent has a few seconds to be read: a client that reads no more must not hold it for ever."""
        self._send()
        self._transport.close()
        self._loop.call_later(_LINGER_SECONDS, self._transport.abort)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_extra_info(self, name: str) -> Any:
        return self._transport.get_extra_info(name)

    def _send(self) -> None:
        frames, self._frames, self._size = self._frames, [], 0
        if frames and not self._transport.is_closing():
            self._transport.write(b"".join(frames))
            self._abort_if_unread()

    def _abort_if_unread(self) -> None:
        """Answers to pings and the like wait for no flow control: a client that leaves so many unread is dropped."""
        if self._transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            self._transport.abort()
