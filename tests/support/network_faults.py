"""The bytes on their way in one direction through a broken network."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_READ_AHEAD: Final = 256 * 1024  # bytes that wait in one direction of a connection; more stay with their sender
_PORTION: Final = 1024  # bytes that a throttled connection forwards at once


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the network. Seconds by which bytes come late; bytes a second that each direction of each
    connection takes; whether nothing is forwarded though all is accepted; whether servers' ends are closed halfway."""

    delay: float = 0.0
    bytes_per_second: float | None = None
    silent: bool = False
    half_closed: bool = False


class Direction:
    """The bytes on their way in one direction, each with the time at which it may go on.

    `has_ended` once its sink was told that nothing more comes; `told` is called then.
    """

    def __init__(self, faults: Callable[[], Faults], loop: asyncio.AbstractEventLoop, told: Callable[[], None]) -> None:
        self._faults: Final = faults  # as they are now
        self._told: Final = told
        self._loop: Final = loop
        self._waiting: Final[deque[tuple[float, bytes]]] = deque()
        self._size = 0
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._source: asyncio.Transport | None = None
        self._sink: asyncio.Transport | None = None
        self._is_last = False
        self.has_ended = False
        self.is_closed = self.is_forgotten = False

    def reads_from(self, source: asyncio.Transport) -> None:
        self._source = source

    def writes_to(self, sink: asyncio.Transport) -> None:
        self._sink = sink

    def take(self, data: bytes) -> None:
        """Puts these bytes at the end."""
        due = self._loop.time() + self._faults().delay
        self._waiting.extend((due, data[at : at + _PORTION]) for at in range(0, len(data), _PORTION))
        self._size += len(data)
        if self._size > _READ_AHEAD and self._source is not None:
            self._source.pause_reading()
        self.go_on()

    def end(self) -> None:
        """Nothing more will come."""
        self._is_last = True
        self.go_on()

    def abort(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
        for transport in (self._source, self._sink):
            if transport is not None:
                transport.abort()

    def close(self) -> None:
        """Closes the sink, once what was forwarded is on its way."""
        if self._sink is not None:
            self._sink.close()

    def go_on(self) -> None:
        """Forwards what is due, and comes back for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sink is None or self._faults().silent or self.is_forgotten:
            return
        if self.is_closed:
            self._finish()
            return
        while self._waiting:
            at = self._due()
            if at > self._loop.time():
                self._timer = self._loop.call_at(at, self.go_on)
                return
            self._forward(self._sink)
        if self._is_last:
            self._finish()

    def _due(self) -> float:
        """When the next portion goes on: at once, where what it waited for is mended."""
        faults = self._faults()
        return max(self._waiting[0][0] if faults.delay else 0.0, self._free_at if faults.bytes_per_second else 0.0)

    def _forward(self, sink: asyncio.Transport) -> None:
        _, portion = self._waiting.popleft()
        rate = self._faults().bytes_per_second
        if rate is not None:
            self._free_at = max(self._free_at, self._loop.time()) + len(portion) / rate
        self._size -= len(portion)
        if not sink.is_closing():
            sink.write(portion)
        if self._size <= _READ_AHEAD and self._source is not None and not self._source.is_closing():
            self._source.resume_reading()

    def _finish(self) -> None:
        """Closes the sink's half; bytes that still come are for nobody."""
        self._waiting.clear()
        self._size = 0
        if self._sink is not None and self._sink.can_write_eof() and not self._sink.is_closing():
            with suppress(OSError):  # its other end is gone
                self._sink.write_eof()
        if not self.has_ended:
            self.has_ended = True
            self._told()
