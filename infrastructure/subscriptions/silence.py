"""Tells a subscription that has nothing to say from one that is dead: the log is asked over another connection."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.frames import LAST_POSITION, CaughtUp, CheckpointReached, RawFrame
from infrastructure.eventstore.log_reader import LogReader

SILENCE_SECONDS: Final = 10.0
_CALL_SECONDS: Final = 5.0


class Silence:
    """Of one subscription; `seconds` of it and the log is asked, as many again and what it holds should have come.

    gRPC itself notices a peer that answers nothing. This also notices a server that answers all but the subscription.
    """

    def __init__(self, reader: LogReader, pattern: str, after: int | None, seconds: float = SILENCE_SECONDS) -> None:
        self._reader: Final = reader
        self._pattern: Final = pattern
        self._seconds: Final = seconds
        self._position = after
        self._missed: int | None = None
        self._since = time.monotonic()

    def heard(self, frames: Sequence[RawFrame]) -> None:
        """These came; none: it is silent. Raises StoreUnavailable where it is dead, or the store is away."""
        if frames:
            positions = map(_position_of, reversed(frames))
            self._position = next((each for each in positions if each is not None), self._position)
            self._missed, self._since = None, time.monotonic()
        elif time.monotonic() - self._since >= self._seconds:
            self._ask()

    def _ask(self) -> None:
        if self._missed is not None:
            reason = f"the subscription is silent, though the log holds a record for it at {self._missed}"
            raise StoreUnavailable(self._reader.address, reason)
        self._missed = self._following()
        self._since = time.monotonic()

    def _following(self) -> int | None:
        """The position of the next record that has to come."""
        with self._reader.beside() as reader:
            hurried = reader.hurried(_at_most(_CALL_SECONDS))
            found = hurried.records(self._pattern, first=self._position, limit=2)
            positions = [record.position or 0 for record in found]
        return next((each for each in positions if self._position is None or each > self._position), None)


def _position_of(frame: RawFrame) -> int | None:
    if isinstance(frame, CaughtUp):
        return None
    position = frame.position if isinstance(frame, CheckpointReached) else frame.commit_position
    return position if position <= LAST_POSITION else None


def _at_most(seconds: float) -> Callable[[], float]:
    return lambda: seconds
