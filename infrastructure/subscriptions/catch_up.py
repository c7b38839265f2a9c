"""Follows the log from a position on: a thread reads, batches of frames are handed over."""

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, TypeAlias

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.frames import CaughtUp, CheckpointReached, RawFrame
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record
from infrastructure.subscriptions.frames import Frame
from infrastructure.subscriptions.handover import EndOfItems, Handover

BATCH: Final = 500
_CAPACITY: Final = 4 * BATCH
_IDLE: Final = 0.5
_LINGER: Final = 0.02  # seconds; while history is read, large batches are worth more than early ones

ReadRecord: TypeAlias = Callable[[Record], Frame]


class CatchUp:
    """One subscription to $all, from after a position (None: from the beginning), of the streams that a pattern names.

    It reads in a thread from when it is entered until it is left; the reader must not be used by others meanwhile.
    """

    def __init__(self, reader: LogReader, pattern: str, after: int | None, read: ReadRecord) -> None:
        self._address = reader.address
        self._read = read
        self._frames = Handover[RawFrame](_CAPACITY)
        self._linger = _LINGER
        self._subscription = reader.subscribe(pattern, after)
        self._thread = threading.Thread(target=self._pull, name=f"read {pattern}", daemon=True)

    def __enter__(self) -> "CatchUp":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames.end()
        self._subscription.stop()
        self._thread.join(5.0)

    def batches(self) -> Iterator[list[Frame]]:
        """Up to 500 frames at a time, and an empty batch every half second in which nothing comes.

        Raises StoreUnavailable when the subscription ends, and what `read` raises after all before it was given.
        """
        while True:
            yield from self._decoded(self._take())

    def _take(self) -> list[RawFrame]:
        try:
            return self._frames.take(BATCH, wait=_IDLE, linger=self._linger)
        except EndOfItems as error:
            raise StoreUnavailable(self._address, "the subscription ended") from error

    def _decoded(self, taken: list[RawFrame]) -> Iterator[list[Frame]]:
        batch: list[Frame] = []
        try:
            for raw in taken:
                batch.append(self._frame(raw))
        except Exception:
            yield batch
            raise
        yield batch

    def _frame(self, raw: RawFrame) -> Frame:
        match raw:
            case CheckpointReached():
                return raw
            case CaughtUp():
                self._linger = 0.0
                return raw
            case Record():
                return self._read(raw)

    def _pull(self) -> None:
        try:
            self._hand_over()
        except Exception as error:  # noqa: BLE001 - it is raised in the thread that takes
            self._frames.end(error)
        self._frames.end()

    def _hand_over(self) -> None:
        for frame in self._subscription:
            if not self._frames.put(frame):
                return
