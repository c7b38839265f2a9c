"""Looks at projections from the command line: in Redis for what they hold, in the log for what they have not folded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from infrastructure.readmodels.condition import Condition, condition_of
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.health import ProjectionHealth
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.lag_meter import LagMeter
from infrastructure.readmodels.lease_holders import Holder, holders_of
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.redis_writes import require_readable
from infrastructure.readmodels.servers import Servers
from infrastructure.readmodels.sizes import Sizes, sizes_of
from infrastructure.readmodels.trend import SECONDS_APART
from projections.projection import Projection
from service.cli.projections.statuses import GenerationStatus, ProjectionStatus
from service.cli.read_models import SECONDS, asked_read_models, asking_redis
from service.lag_bounds import lag_bounds
from service.settings import Settings

_READ_AT_ONCE: Final = 10_000


class Survey:
    """Looks at some projections, again and again: what was read of the log is not read twice.

    All of it raises StoreUnavailable and RedisUnavailable.
    """

    def __init__(self, settings: Settings, servers: Servers, models: ReadModels) -> None:
        self._bounds: Final = lag_bounds(settings)
        self._settings: Final = settings
        self._servers: Final = servers
        self._models: Final = models
        self._meter: Final = LagMeter(models.log, _READ_AT_ONCE)

    async def look(self, projections: Sequence[Projection[Any]]) -> list[ProjectionStatus]:
        """How each of them fares now, in this order."""
        await self._require_redis()
        found = [await self._health(projection) for projection in projections]
        healths = {
            projection.name: (projection, health)
            for projection, health in zip(projections, found, strict=True)
            if isinstance(health, ProjectionHealth)
        }
        pauses = await self._models.pauses()
        lags = await self._meter.measure(healths, await self._models.log.end(SECONDS), SECONDS)
        return [
            ProjectionStatus(projection, health)
            if isinstance(health, Condition)
            else ProjectionStatus(
                projection,
                condition_of(health, lags[projection.name], self._bounds[projection.name], pauses.get(projection.name)),
                health,
                lags[projection.name],
                pauses.get(projection.name),
            )
            for projection, health in zip(projections, found, strict=True)
        ]

    async def settled_look(self, projections: Sequence[Projection[Any]]) -> list[ProjectionStatus]:
        """The same; where one has fallen behind it looks twice, to tell one that catches up from one that does not."""
        found = await self.look(projections)
        if all(each.lag is None or not self._is_behind(each) for each in found):
            return found
        await asyncio.sleep(SECONDS_APART)
        return await self.look(projections)

    def _is_behind(self, status: ProjectionStatus) -> bool:
        total = None if status.lag is None or status.pause is not None else status.lag.total
        return self._bounds[status.projection.name].are_passed_by(total)

    async def sizes(self, projection: Projection[Any], generation: GenerationStatus) -> list[Sizes]:
        """How much each partition of a generation holds."""
        keys = ProjectionKeys(self._settings.namespace, projection.name, projection.version)
        async with asking_redis(self._settings):
            return [
                await self._sizes(keys.partition(generation.number, each.partition)) for each in generation.partitions
            ]

    async def holders(self, projection: Projection[Any], generation: GenerationStatus) -> list[Holder | None]:
        """Who holds the lease of each partition of a generation."""
        keys = ProjectionKeys(self._settings.namespace, projection.name, projection.version)
        async with asking_redis(self._settings):
            return await holders_of(
                self._servers, [keys.partition(generation.number, each.partition) for each in generation.partitions]
            )

    async def _sizes(self, keys: PartitionKeys) -> Sizes:
        return await sizes_of(await self._servers.at(keys.checkpoint), keys)

    async def _require_redis(self) -> None:
        async with asking_redis(self._settings):
            for primary in await self._servers.primaries():
                await require_readable(primary.client, self._settings.namespace, primary.slot)

    async def _health(self, projection: Projection[Any]) -> ProjectionHealth | Condition:
        try:
            return await self._models.health(projection)
        except ReadModelUnavailable as error:
            return Condition("away", error.reason)


@asynccontextmanager
async def survey(settings: Settings) -> AsyncIterator[Survey]:
    """One on connections of its own. Raises SettingsError, StoreUnavailable."""
    async with asked_read_models(settings) as (servers, models):
        yield Survey(settings, servers, models)
