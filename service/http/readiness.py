"""Looks after what the service needs and what it runs, once for all who ask within a second."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from domain.saga import Saga
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.group_state import GroupState
from infrastructure.readmodels.errors import ReadModelUnavailable
from projections.projection import Projection
from service.consumers import PROJECTIONS, SAGAS
from service.http.checks import Check, Report, of_projection, of_saga, wrong
from service.http.connections import Connections
from service.http.readiness_metrics import Findings

_CHECK_SECONDS: Final = 1.0
_LOOK_EVERY: Final = 1.0


class Readiness:
    """The state of the event store, of Redis, of every projection and of every saga."""

    def __init__(self, connections: Connections) -> None:
        self._connections: Final = connections
        self._looking: asyncio.Task[Report] | None = None
        self._began = 0.0
        self._positions: dict[str, int] = {}
        self._groups: dict[str, GroupState] = {}
        self.findings = Findings()

    async def report(self) -> Report:
        """What was found within the last second, else what is found now; a look takes a few seconds at most."""
        now = asyncio.get_running_loop().time()
        if self._looking is None or (self._looking.done() and now - self._began >= _LOOK_EVERY):
            self._began, self._looking = now, asyncio.create_task(self._look(), name="look after readiness")
        return await asyncio.shield(self._looking)

    async def _look(self) -> Report:
        self._positions, self._groups = {}, {}
        looks: Mapping[str, Awaitable[Check]] = {
            "eventstore": self._eventstore(),
            "redis": self._redis(),
            **{projection.name: self._projection(projection) for projection in PROJECTIONS},
            **{saga.category: self._saga(saga) for saga in SAGAS},
        }
        checks = dict(zip(looks, await asyncio.gather(*looks.values()), strict=True))
        end = self._connections.end
        lags = {name: max(0, end - position) for name, position in self._positions.items()}
        self.findings = Findings(checks, lags if checks["eventstore"].state != "away" else {}, self._groups)
        if not checks["eventstore"].ok:
            return Report(status="unable", checks=checks)
        return Report(status="ok" if all(check.ok for check in checks.values()) else "degraded", checks=checks)

    async def _eventstore(self) -> Check:
        address = self._connections.store_address
        if (fault := await self._connections.store_fault()) is not None:
            return wrong("away", f"{address}: {fault}")
        if (fault := await self._connections.write_fault()) is not None:
            return wrong("failing", f"{address}: it can be read, and takes no appends: {fault}")
        return Check(ok=True)

    async def _redis(self) -> Check:
        fault = await self._connections.redis_fault()
        if fault is not None:
            return wrong("away", f"{self._connections.redis_address}: {fault}")
        misconfigured = await self._connections.redis_misconfiguration()
        return Check(ok=True) if misconfigured is None else wrong("misconfigured", misconfigured)

    async def _projection(self, projection: Projection[Any]) -> Check:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                health = await self._connections.read_models.health(projection)
        except ReadModelUnavailable as error:
            return wrong("away", error.reason)
        except TimeoutError:
            return wrong("away", f"no answer within {_CHECK_SECONDS:g} s")
        self._positions[projection.name] = health.position
        return of_projection(health)

    async def _saga(self, saga: Saga[Any, Any]) -> Check:
        try:
            group = await self._connections.group_state(saga)
        except StoreUnavailable as error:
            return wrong("away", error.reason)
        if group is not None:
            self._groups[saga.category] = group
        return of_saga(group)
