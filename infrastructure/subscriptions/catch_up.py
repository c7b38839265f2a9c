"""Follows the log from a position on: a thread reads, batches of frames are handed over."""

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final

from esdbclient import CaughtUp as CaughtUpFrame
from esdbclient import Checkpoint as CheckpointFrame
from esdbclient import EventStoreDBClient, RecordedEvent

from infrastructure.eventstore.client import address_of, translated
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.subscriptions.frames import CaughtUp, CheckpointReached, Frame
from infrastructure.subscriptions.handover import EndOfItems, Handover

BATCH: Final = 500
_CAPACITY: Final = 4 * BATCH
_WINDOW: Final = 100
_WINDOWS_PER_CHECKPOINT: Final = 5
"""A checkpoint comes every 500 events of the log, of interest or not: so far at most lies a quiet one behind."""
_IDLE: Final = 0.5
_LINGER: Final = 0.02  # seconds; while history is read, large batches are worth more than early ones

Read = Callable[[RecordedEvent], Frame]


class CatchUp:
    """One subscription to $all, from after a position (None: from the beginning), of the streams that a pattern names.

    It reads in a thread from when it is entered until it is left; the client must not be used by others meanwhile.
    """

    def __init__(self, client: EventStoreDBClient, pattern: str, after: int | None, read: Read) -> None:
        self._address = address_of(client)
        self._read = read
        self._client = client
        self._frames = Handover[RecordedEvent](_CAPACITY)
        self._linger = _LINGER
        with translated(self._address):
            self._subscription = client.subscribe_to_all(
                commit_position=after,
                filter_include=(pattern,),
                filter_by_stream_name=True,
                include_checkpoints=True,
                include_caught_up=True,
                window_size=_WINDOW,
                checkpoint_interval_multiplier=_WINDOWS_PER_CHECKPOINT,
            )
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

    def _take(self) -> list[RecordedEvent]:
        try:
            return self._frames.take(BATCH, wait=_IDLE, linger=self._linger)
        except EndOfItems as error:
            raise StoreUnavailable(self._address, "the subscription ended") from error

    def _decoded(self, taken: list[RecordedEvent]) -> Iterator[list[Frame]]:
        batch: list[Frame] = []
        try:
            for recorded in taken:
                batch.append(self._frame(recorded))
        except Exception:
            yield batch
            raise
        yield batch

    def _frame(self, recorded: RecordedEvent) -> Frame:
        if isinstance(recorded, CheckpointFrame):
            return CheckpointReached(recorded.commit_position or 0)
        if isinstance(recorded, CaughtUpFrame):
            self._linger = 0.0
            return CaughtUp()
        return self._read(recorded)

    def _pull(self) -> None:
        try:
            with translated(self._address):
                self._hand_over()
        except Exception as error:  # noqa: BLE001 - it is raised in the thread that takes
            self._frames.end(error)
        self._frames.end()

    def _hand_over(self) -> None:
        for recorded in self._subscription:
            if not self._frames.put(recorded):
                return
