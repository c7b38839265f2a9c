"""Looks after what the service needs and what it runs, once for all who ask within a second."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel

from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.health import ProjectionHealth
from projections.projection import Projection
from service.consumers import PROJECTIONS
from service.http.connections import Connections

_CHECK_SECONDS: Final = 1.0
_LOOK_EVERY: Final = 1.0
State: TypeAlias = Literal[
    "ok", "behind", "slow", "stuck", "failing", "stopped", "paused", "blocked", "away", "misconfigured"
]


class Check(BaseModel):
    """One thing that the service needs or runs: whether it is as it should be, and `detail` about what is not.

    `away` is what does not answer or does not run, `failing` what answers and can't do its work, `behind` what catches
    up by itself, `stopped` what waits for a release that can go on, `blocked` what goes on except for some streams,
    `stuck` what does not go on before somebody acts, `misconfigured` what serves but may lose what it was given.
    """

    ok: bool
    state: State = "ok"
    detail: str | None = None


class Report(BaseModel):
    """`unable` while the event store is away or failing; else `degraded` where any check is not `ok`: it serves, and
    somebody should look."""

    status: Literal["ok", "degraded", "unable"]
    checks: dict[str, Check]


class Readiness:
    """The state of the event store, of Redis and of every projection."""

    def __init__(self, connections: Connections) -> None:
        self._connections: Final = connections
        self._looking: asyncio.Task[Report] | None = None
        self._began = 0.0

    async def report(self) -> Report:
        """What was found within the last second, else what is found now; a look takes a few seconds at most."""
        now = asyncio.get_running_loop().time()
        if self._looking is None or (self._looking.done() and now - self._began >= _LOOK_EVERY):
            self._began, self._looking = now, asyncio.create_task(self._look(), name="look after readiness")
        return await asyncio.shield(self._looking)

    async def _look(self) -> Report:
        looks: Mapping[str, Awaitable[Check]] = {
            "eventstore": self._eventstore(),
            "redis": self._redis(),
            **{projection.name: self._projection(projection) for projection in PROJECTIONS},
        }
        checks = dict(zip(looks, await asyncio.gather(*looks.values()), strict=True))
        if not checks["eventstore"].ok:
            return Report(status="unable", checks=checks)
        return Report(status="ok" if all(check.ok for check in checks.values()) else "degraded", checks=checks)

    async def _eventstore(self) -> Check:
        address = self._connections.store_address
        if (fault := await self._connections.store_fault()) is not None:
            return _wrong("away", f"{address}: {fault}")
        if (fault := await self._connections.write_fault()) is not None:
            return _wrong("failing", f"{address}: it can be read, and takes no appends: {fault}")
        return Check(ok=True)

    async def _redis(self) -> Check:
        fault = await self._connections.redis_fault()
        if fault is not None:
            return _wrong("away", f"{self._connections.redis_address}: {fault}")
        misconfigured = await self._connections.redis_misconfiguration()
        return Check(ok=True) if misconfigured is None else _wrong("misconfigured", misconfigured)

    async def _projection(self, projection: Projection[Any]) -> Check:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                health = await self._connections.read_models.health(projection)
        except ReadModelUnavailable as error:
            return _wrong("away", error.reason)
        except TimeoutError:
            return _wrong("away", f"no answer within {_CHECK_SECONDS:g} s")
        return _of_projection(health)


def _of_projection(health: ProjectionHealth) -> Check:
    if health.failure is not None:
        by_an_event = health.failure.position is not None
        return _wrong("stopped" if by_an_event else "away", f"stopped: {health.failure.reason}")
    if not health.live:
        return _wrong("behind", "is being built")
    if not health.alive:
        return _wrong("away", "has no worker")
    return Check(ok=True) if health.caught_up else _wrong("behind", "is catching up")


def _wrong(state: State, detail: str) -> Check:
    return Check(ok=False, state=state, detail=detail)
