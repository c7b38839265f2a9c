"""How far a generation is folded: by the checkpoints and reports of its partitions, and by the end of the log."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import redis

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.status import Failure, Status, read_status
from infrastructure.readmodels.texts import text_of

_SPEED_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """`position` is that of the checkpoint, 0 before the first; `rate` in events a second."""

    position: int = 0
    rate: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one generation, where the log ends at the position `end`.

    `caught_up` is how many partitions have come to the end, `seconds_left` None where nobody can tell.
    """

    generation: int
    end: int
    partitions: tuple[PartitionProgress, ...]
    caught_up: int = 0
    seconds_left: float | None = None

    @property
    def share(self) -> float:
        """How much of the log all partitions together have passed: from 0 to 1."""
        if self.is_caught_up:
            return 1.0
        passed = sum(min(each.position, self.end) for each in self.partitions)
        return passed / (self.end * len(self.partitions)) if self.end else 0.0

    @property
    def rate(self) -> float:
        """Events folded a second by all processes together."""
        return sum(each.rate for each in self.partitions)

    @property
    def position(self) -> int:
        """That of the partition that is furthest back."""
        return min(each.position for each in self.partitions)

    @property
    def is_caught_up(self) -> bool:
        """Whether all partitions have come to the end of the log."""
        return self.caught_up == len(self.partitions)

    @property
    def failure(self) -> Failure | None:
        """What stops the first of the partitions that are stopped."""
        return next((each.failure for each in self.partitions if each.failure is not None), None)


class Speed:
    """How many positions of the log are passed a second, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._samples: Final[deque[tuple[float, int]]] = deque()

    def seconds_for(self, left: int, passed: int) -> float | None:
        """How long so many take, where so many are passed by now, as fast as in the last ten seconds."""
        now = self._clock()
        while len(self._samples) > 1 and self._samples[1][0] <= now - _SPEED_SECONDS:
            self._samples.popleft()
        self._samples.append((now, passed))
        since, before = self._samples[0]
        if left <= 0:
            return 0.0
        return left * (now - since) / (passed - before) if passed > before else None


class ProgressMeter:
    """Reads, while it is entered, how far the partitions of a generation are. Raises RedisError."""

    def __init__(self, redis_uri: str, keys: Sequence[PartitionKeys]) -> None:
        self._redis_uri: Final = redis_uri
        self._keys: Final = keys
        self._closing: Final = ExitStack()
        self._speed: Final = Speed()

    def look(self, end: int, caught_up: int) -> Progress:
        """How far they are, where the log ends at `end`, and so many have come to it."""
        found = tuple(self._partition(*each) for each in zip(self._keys, self._connections, strict=True))
        passed = sum(min(each.position, end) for each in found)
        left = self._speed.seconds_for(end * len(found) - passed, passed)
        return Progress(self._keys[0].generation, end, found, caught_up, left)

    def _partition(self, keys: PartitionKeys, connection: redis.Redis) -> PartitionProgress:
        stored, reported = connection.mget(keys.checkpoint, keys.status)
        status = _status(reported)
        failure = status.failure if status and status.state == "failed" else None
        return PartitionProgress(_position(stored), (status and status.rate) or 0.0, failure)

    def __enter__(self) -> Self:
        connections = [connect(self._redis_uri, each.checkpoint) for each in self._keys]
        self._connections = [self._closing.enter_context(each) for each in connections]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.close()


def _position(stored: bytes | str | None) -> int:
    """0 for what can't be read, too: whoever folds tells why."""
    try:
        return Checkpoint.parse(text_of(stored)).position or 0 if stored else 0
    except (ValueError, ReadModelError):
        return 0


def _status(reported: bytes | str | None) -> Status | None:
    try:
        return read_status(text_of(reported)) if reported else None
    except ValueError:
        return None
