"""The lease of a rebuild: of all processes that might rebuild a projection, or build a view of it, one does."""

import json
import threading
import time
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import redis
import structlog
from redis.client import Pipeline

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.leases import RELEASE, TAKE
from infrastructure.readmodels.status import worker_name
from infrastructure.rebuilds.errors import LeaseHeld, LeaseLost

LEASE_SECONDS: Final = 10.0
"""More than a process has to end in whose coordinator was killed."""
_RENEWED: Final = 2.0
_LOOK: Final = 0.25
_FORMAT: Final = 1
_logger = structlog.get_logger()


class RebuildLease:
    """Held while it is entered, by a thread that renews it. `lost` is set once another process has it.

    Entering waits for the lease of a process that was killed, ten seconds at most, and raises LeaseHeld where somebody
    renews it. After an outage of Redis it is taken again, unless another process was there first.
    """

    def __init__(self, deployment: Deployment, keys: ProjectionKeys, view: str | None = None) -> None:
        """That of the projection's pointers, or of the view of that name."""
        self._keys: Final = keys
        self._key: Final = keys.rebuild_lease if view is None else keys.view_lease(view)
        self._what: Final = "rebuild of it" if view is None else f"build of the view {view}"
        self._redis: Final = connect(deployment.redis_uri, self._key)
        self._holder: Final = json.dumps({"format": _FORMAT, "holder": worker_name(), "id": uuid4().hex})
        self._closed: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._renew, name="rebuild lease", daemon=True)
        self.lost: Final = threading.Event()

    def require(self, pipeline: Pipeline) -> None:
        """Raises LeaseLost where it is not held, before `multi` of a transaction that watches its key."""
        if pipeline.get(self._key) != self._holder.encode():
            raise LeaseLost(self._keys.projection, self._what)

    def wait(self, seconds: float) -> None:
        """Waits. Raises LeaseLost as soon as it is lost."""
        if self.lost.wait(seconds):
            raise LeaseLost(self._keys.projection, self._what)

    def __enter__(self) -> Self:
        self._take()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed.set()
        self._thread.join(_RENEWED)
        try:
            self._redis.eval(RELEASE, 1, self._key, self._holder)
        except redis.RedisError:
            _logger.debug("rebuild_lease_not_released")  # it expires
        self._redis.close()

    def _take(self) -> None:
        left, end = None, time.monotonic() + LEASE_SECONDS + _RENEWED
        while not self._taken():
            stored, still = self._held()
            if (left is not None and still > left) or time.monotonic() > end:
                raise LeaseHeld(self._keys.projection, self._what, _holder_in(stored))
            if left is None:
                _logger.info("rebuild_waits", projection=self._keys.projection, holder=_holder_in(stored))
            left = still
            self._closed.wait(_LOOK)

    def _taken(self) -> bool:
        """Whether it is this process's now, and for some seconds."""
        taken = self._redis.eval(TAKE, 1, self._key, self._holder, int(LEASE_SECONDS * 1000))
        return bool(taken)

    def _held(self) -> tuple[bytes | None, int]:
        """By whom, and for how many milliseconds."""
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.get(self._key)
            pipeline.pttl(self._key)
            stored, left = pipeline.execute()
        return stored, left

    def _renew(self) -> None:
        while not self._closed.wait(_RENEWED):
            try:
                if not self._taken():
                    self.lost.set()
                    return
            except redis.RedisError as error:
                _logger.warning("rebuild_lease_not_renewed", projection=self._keys.projection, reason=str(error))


def _holder_in(stored: bytes | None) -> str:
    try:
        return str(json.loads(stored or b"")["holder"])
    except (ValueError, LookupError, TypeError):
        return "unknown"
