"""Follows the log from a position on: a thread reads, batches of frames are handed over."""

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Generic, TypeVar

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.frames import CaughtUp, CheckpointReached, RawFrame
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record_messages import RecordMessage, weight_of
from infrastructure.subscriptions.handover import EndOfItems, Handover
from infrastructure.subscriptions.silence import SILENCE_SECONDS, Silence

BATCH: Final = 500
_CAPACITY: Final = 4 * BATCH
_MOST_BYTES: Final = 8 << 20  # of records that wait; the store takes events of up to 16 MiB
_IDLE: Final = 0.5
_LINGER: Final = 0.02  # seconds; while history is read, large batches are worth more than early ones

DecodedT = TypeVar("DecodedT")


class CatchUp(Generic[DecodedT]):
    """One subscription to $all, from after a position (None: from the beginning), of the streams that a pattern names.

    It reads in a thread from when it is entered until it is left; the reader must not be used by others meanwhile.
    """

    def __init__(
        self,
        reader: LogReader,
        pattern: str,
        after: int | None,
        decode: Callable[[RecordMessage], DecodedT],
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._address = reader.address
        self._decode = decode
        self._frames = Handover[RawFrame](_CAPACITY, _weight, _MOST_BYTES)
        self._silence = Silence(reader, pattern, after, silence_seconds)
        self._linger = _LINGER
        self._subscription = reader.subscribe(pattern, after)
        self._thread = threading.Thread(target=self._pull, name=f"read {pattern}", daemon=True)

    def __enter__(self) -> "CatchUp[DecodedT]":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames.end()
        self._subscription.stop()
        self._thread.join(5.0)

    def batches(self) -> Iterator[list[DecodedT | CheckpointReached | CaughtUp]]:
        """Up to 500 frames at a time, and an empty batch every half second in which nothing comes.

        Raises StoreUnavailable when the subscription ends or is dead, and what `decode` raises after all before it was
        given.
        """
        while True:
            taken = self._take()
            self._silence.heard(taken)
            yield from self._decoded(taken)

    def _take(self) -> list[RawFrame]:
        try:
            return self._frames.take(BATCH, wait=_IDLE, linger=self._linger)
        except EndOfItems as error:
            raise StoreUnavailable(self._address, "the subscription ended") from error

    def _decoded(self, taken: list[RawFrame]) -> Iterator[list[DecodedT | CheckpointReached | CaughtUp]]:
        batch: list[DecodedT | CheckpointReached | CaughtUp] = []
        decode = self._decode
        try:
            for raw in taken:
                if isinstance(raw, RecordMessage):
                    batch.append(decode(raw))
                    continue
                batch.append(raw)
                if isinstance(raw, CaughtUp):
                    self._linger = 0.0
        except Exception:
            yield batch
            raise
        yield batch

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


def _weight(frame: RawFrame) -> int:
    """What it takes of memory, in bytes, as far as the log's contents decide that."""
    return weight_of(frame) if isinstance(frame, RecordMessage) else 0
