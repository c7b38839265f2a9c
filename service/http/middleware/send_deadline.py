"""Bounds the time for which what was sent may wait until its client reads on."""

import asyncio
import fcntl
import sys
import termios
from collections.abc import Callable
from typing import Final


class SendDeadline:
    """Of one connection. Whatever the client reads within its time gives it as long again."""

    def __init__(self, transport: asyncio.WriteTransport, seconds: float, end: Callable[[], None]) -> None:
        self._transport: Final = transport
        self._seconds: Final = seconds
        self._end: Final = end
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins, or begins anew."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._check, self._unread())

    def stop(self) -> None:
        """Nothing waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end_in(self, seconds: float, end: Callable[[], None]) -> None:
        """Calls `end` after this time, if anything still waits then, however fast the client reads."""
        asyncio.get_running_loop().call_later(seconds, lambda: end() if self._unread() else None)

    def _check(self, before: int) -> None:
        if self._unread() < before:
            self.start()
        else:
            self._end()

    def _unread(self) -> int:
        """Bytes that the client has not taken. The kernel may hold megabytes of them, of which Linux alone tells."""
        unread = self._transport.get_write_buffer_size()
        if sys.platform == "linux" and not self._transport.is_closing():
            socket = self._transport.get_extra_info("socket")
            unread += int.from_bytes(fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return unread
