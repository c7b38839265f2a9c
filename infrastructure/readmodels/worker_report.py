"""What is told of a partition while it is followed: its state, how fast it goes, what failed, since when it is live."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import redis

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionId, PartitionKeys
from infrastructure.readmodels.status import Failure, LastError, State, Status, now, report, worker_name

_RATE_SECONDS: Final = 10.0


class Pace:
    """How fast a partition is folded, and for how long its checkpoint has not moved, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._folded = 0
        self._samples: Final[deque[tuple[float, int]]] = deque([(clock(), 0)])
        self._position: int | None = None
        self._moved = clock()
        self.batch = 0

    def begin(self) -> None:
        """It begins, again after a failure: the time until then does not count."""
        self._moved = self._clock()

    def took(self, events: int) -> None:
        """A batch of so many events was taken; an empty one changes nothing."""
        self._folded += events
        self.batch = events or self.batch

    def rate(self) -> float:
        """Events a second since it was asked some ten seconds ago, or since it began."""
        now = self._clock()
        while len(self._samples) > 1 and self._samples[1][0] <= now - _RATE_SECONDS:
            self._samples.popleft()
        since, folded = self._samples[0]
        self._samples.append((now, self._folded))
        return (self._folded - folded) / (now - since) if now > since else 0.0

    def still(self, position: int | None) -> float:
        """Seconds since the checkpoint was first found at this position."""
        if position != self._position:
            self._position, self._moved = position, self._clock()
        return self._clock() - self._moved


class WorkerReport:
    """Reports go into Redis, for everybody, and into the deployment's `reports`, for this process."""

    def __init__(self, connection: redis.Redis, keys: PartitionKeys, key: PartitionId, deployment: Deployment) -> None:
        self._redis: Final = connection
        self._keys: Final = keys
        self._key: Final = key
        self._reports: Final = deployment.reports
        self._audits: Final = deployment.audits
        self._state: State = "starting"
        self._failure: Failure | None = None
        self._last_error: LastError | None = None
        self.pace: Final = Pace()
        self._reported = 0.0
        self._live_since: float | None = None

    @property
    def is_live(self) -> bool:
        """Whether it has come to the end of the log."""
        return self._state == "live"

    @property
    def seconds_live(self) -> float:
        """For how long it has been live; 0 where it is not."""
        return 0.0 if self._live_since is None else time.monotonic() - self._live_since

    @property
    def seconds_ago(self) -> float:
        """Since the last report."""
        return time.monotonic() - self._reported

    def begun(self) -> None:
        """It catches up."""
        self._state, self._live_since = "catching_up", None
        self.pace.begin()

    def live(self, position: int | None) -> None:
        """Reports that it has come to the end. Raises RedisError, and then the last failure stands."""
        self._state, failure, self._failure = "live", self._failure, None
        try:
            self.send(position)
        except redis.RedisError:  # it answers, and takes no writes: that is no success
            self._failure = failure
            raise
        self._live_since = time.monotonic()

    def failed(self, error: Exception, *, progressed: bool) -> Failure:
        """The failure to be reported; it counts how often the same was met, without progress in between."""
        failure = Failure(
            error=type(error).__name__,
            reason=str(error),
            stream=getattr(error, "stream", None),
            version=getattr(error, "version", None),
            position=getattr(error, "position", None),
        )
        last = self._failure
        if not progressed and last and (last.error, last.position) == (failure.error, failure.position):
            failure = failure.model_copy(update={"attempts": last.attempts + 1})
        self._state, self._live_since, self._failure = "failed", None, failure
        self._last_error = LastError(error=failure.error, reason=failure.reason, at=now())
        return failure

    def send(self, position: int | None) -> None:
        """Reports. Raises RedisError."""
        status = Status(
            worker=worker_name(),
            state=self._state,
            position=position,
            failure=self._failure,
            at=now(),
            rate=self.pace.rate(),
            batch=self.pace.batch,
            still=self.pace.still(position),
            last_error=self._last_error,
            audit=self._audits.get(self._key),
        )
        self._reports[self._key] = status
        report(self._redis, self._keys, status)
        self._reported = time.monotonic()

    def end(self) -> None:
        """This process has nothing more to say of it."""
        self._reports.pop(self._key, None)
