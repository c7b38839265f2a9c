"""Says when a server is away: a line of the log at the start, one a minute, and one at the end, whoever misses it."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import redis
import structlog

from infrastructure.eventstore.errors import StoreUnavailable

MINUTE: Final = 60.0
CALM: Final = 3.0  # seconds without a failure after which an outage is over: a server that comes back stumbles
_logger: Final = structlog.get_logger(__name__)


class Outage:
    """One server as this process finds it. Its users are called parties; the outage ends with the last that fails."""

    def __init__(self, server: str, clock: Callable[[], float]) -> None:
        self._server: Final = server
        self._clock: Final = clock  # in seconds
        self._lock: Final = threading.Lock()
        self._parties: Final[set[str]] = set()
        self._began: float | None = None
        self._told = self._failed = self._recovered = 0.0
        self._failures = 0
        self._reason = ""

    def is_missed_by(self, party: str) -> bool:
        """Whether this party's last use of the server failed."""
        return party in self._parties

    @property
    def fault(self) -> str | None:
        """Why it can't be used now, as the last party that failed says; None while nobody misses it."""
        return self._reason if self._parties else None

    def failed(self, party: str, reason: str) -> None:
        """This party could not use the server."""
        with self._lock:
            self._parties.add(party)
            self._failed, self._reason = self._clock(), reason
            self._failures += 1
            if self._began is None:
                self._began = self._told = self._failed
                _logger.warning("outage_began", server=self._server, reason=reason)

    def succeeded(self, party: str) -> None:
        """This party could use the server, or needs it no more."""
        with self._lock:
            if party in self._parties:
                self._parties.remove(party)
                self._recovered = self._clock()

    def tick(self) -> None:
        """Logs what is due; to be called about once a second."""
        with self._lock:
            now = self._clock()
            if self._began is None:
                return
            if not self._parties and now - self._failed >= CALM:
                _logger.info("outage_ended", **self._summary(max(self._recovered, self._failed)))
                self._began, self._failures = None, 0
            elif now - self._told >= MINUTE:
                self._told = now
                _logger.warning("outage_goes_on", reason=self._reason, **self._summary(now))

    def _summary(self, until: float) -> dict[str, str | int | float]:
        seconds = round(until - (self._began or until), 1)
        return {"server": self._server, "seconds": seconds, "failures": self._failures}


class Outages:
    """Those of the event store and of Redis, and of what else is named, in one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._others: Final[dict[str, Outage]] = {}
        self._ticked = clock()
        self.eventstore: Final = Outage("eventstore", clock)
        self.redis: Final = Outage("redis", clock)

    def failed(self, party: str, error: BaseException) -> bool:
        """Notes the failure where one of the two was away; False for any other, of which the caller has to tell."""
        for cause in _causes(error):
            match cause:
                case StoreUnavailable() if cause.is_away:
                    self.eventstore.failed(party, str(error))
                    return True
                case redis.RedisError() | TimeoutError():
                    self.redis.failed(party, str(error))
                    return True
                case _:
                    pass
        return False

    def met(self, party: str, error: BaseException) -> bool:
        """As `failed`, for a party that does not try again soon: it does not keep the outage open."""
        found = self.failed(party, error)
        self.succeeded(party)
        return found

    def met_elsewhere(self, what: str, party: str, reason: str) -> None:
        """As `met`, for what is no server, such as a read model that is being built; over when nobody meets it."""
        outage = self._others.setdefault(what, Outage(what, self._clock))
        outage.failed(party, reason)
        outage.succeeded(party)

    def succeeded(self, party: str) -> None:
        """The party could use both, or needs them no more."""
        self.eventstore.succeeded(party)
        self.redis.succeeded(party)

    @property
    def seconds_since_tick(self) -> float:
        """For how long the loop that calls `tick` has not come round."""
        return self._clock() - self._ticked

    def tick(self) -> None:
        """Logs what is due; to be called about once a second."""
        self._ticked = self._clock()
        self.eventstore.tick()
        self.redis.tick()
        for other in list(self._others.values()):
            other.tick()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
