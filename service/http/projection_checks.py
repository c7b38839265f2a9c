"""Checks all projections in one look: how they fare in Redis, and what the log holds that they have not folded."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final

from infrastructure.readmodels.backlog import Lag
from infrastructure.readmodels.block_readers import BlockedStream
from infrastructure.readmodels.condition import LagBounds
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.health import ProjectionHealth
from infrastructure.readmodels.lag_meter import LagMeter, ProjectionLag
from infrastructure.readmodels.status import AuditReport
from projections.projection import Projection
from service.consumers import PROJECTIONS
from service.health.checks import Check, of_projection, wrong
from service.http.connections import Connections

_CHECK_SECONDS: Final = 1.0
_READ_SECONDS: Final = 0.5
_READ_AT_ONCE: Final = 200
"""Events of a projection that a look reads at most: it takes some 10 ms, and the next look goes on from there."""


class ProjectionChecks:
    """`positions`, `lags`, `audits` and `blocked` streams are those that the last look has found, by the projections'
    names."""

    def __init__(self, connections: Connections, bounds: Mapping[str, LagBounds]) -> None:
        self._connections: Final = connections
        self._bounds: Final = bounds
        self._meter: LagMeter | None = None
        self.positions: Mapping[str, int] = {}
        self.lags: Mapping[str, Lag] = {}
        self.audits: Mapping[str, AuditReport] = {}
        self.blocked: Mapping[str, Sequence[BlockedStream]] = {}

    async def look(self, store_fault: Awaitable[str | None]) -> dict[str, Check]:
        """The check of each; `store_fault` tells whether the log can be read, and has then found its end."""
        names = [projection.name for projection in PROJECTIONS]
        found = dict(zip(names, await asyncio.gather(*map(self._health, PROJECTIONS)), strict=True))
        healths = {name: health for name, health in found.items() if isinstance(health, ProjectionHealth)}
        lags = await self._measured(healths) if await store_fault is None and healths else {}
        self.positions = {name: health.position for name, health in healths.items()}
        self.blocked = {name: health.blocked for name, health in healths.items()}
        self.lags = {name: lag.total for name, lag in lags.items() if lag.total is not None}
        self.audits = {name: health.audit for name, health in healths.items() if health.audit is not None}
        pauses = await self._connections.read_models.pauses() if healths else {}
        judged = {
            name: of_projection(health, lags.get(name), self._bounds[name], pauses.get(name))
            for name, health in healths.items()
        }
        return {name: judged[name] if isinstance(each, ProjectionHealth) else each for name, each in found.items()}

    async def _health(self, projection: Projection[Any]) -> ProjectionHealth | Check:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                return await self._connections.read_models.health(projection)
        except ReadModelUnavailable as error:
            return wrong("away", error.reason)
        except TimeoutError:
            return wrong("away", f"no answer within {_CHECK_SECONDS:g} s")

    async def _measured(self, healths: Mapping[str, ProjectionHealth]) -> Mapping[str, ProjectionLag]:
        if self._meter is None:
            self._meter = LagMeter(self._connections.read_models.log, _READ_AT_ONCE)
        followed = {each.name: (each, healths[each.name]) for each in PROJECTIONS if each.name in healths}
        return await self._meter.measure(followed, self._connections.end, _READ_SECONDS)
