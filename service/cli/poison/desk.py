"""Finds blocked streams in Redis, asks workers to try them again, and waits for what becomes of them."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import structlog

from domain.stream_name import row_key_of
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.live_generation import other_version
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import Servers
from projections.projection import Projection
from service.cli.poison.blocked_at import BlockedAt, blocked_in
from service.cli.poison.outcomes import PENDING, Judge, Outcome
from service.cli.read_models import asked_read_models, asking_redis
from service.errors import BlocksUnreadable
from service.settings import Settings

_LOOK_EVERY: Final = 0.2
_logger: Final = structlog.get_logger()


class Look(NamedTuple):
    """The blocked streams that were found, and why those of other projections were not."""

    found: Sequence[BlockedAt]
    unreadable: Sequence[BlocksUnreadable]


class Desk:
    """What an operator asks of Redis. All of it is bounded."""

    def __init__(self, settings: Settings, servers: Servers, models: ReadModels) -> None:
        self._settings: Final = settings
        self._servers: Final = servers
        self._models: Final = models

    async def look(self, projections: Iterable[Projection[Any]]) -> Look:
        """The blocked streams of these projections, one after the other."""
        found: list[BlockedAt] = []
        unreadable: list[BlocksUnreadable] = []
        for projection in projections:
            try:
                found += await self.blocked(projection)
            except BlocksUnreadable as error:
                unreadable.append(error)
        return Look(found, unreadable)

    async def blocked(self, projection: Projection[Any]) -> list[BlockedAt]:
        """Those of what queries read, then those of what is being built; the first of the log first.

        Raises BlocksUnreadable.
        """
        try:
            health = await self._models.health(projection)
        except ReadModelUnavailable as error:
            raise BlocksUnreadable(projection.name, error.reason) from error
        if health.later_version is not None:
            reason = other_version(live=health.later_version, own=projection.version)
            raise BlocksUnreadable(projection.name, reason)
        return blocked_in(projection, health)

    async def ask_to_retry(self, streams: Iterable[BlockedAt]) -> None:
        """Leaves word for the workers of these streams to try them now. Raises RedisUnavailable."""
        asked: defaultdict[str, list[str]] = defaultdict(list)
        for each in streams:
            keys = ProjectionKeys(self._settings.namespace, each.projection.name, each.projection.version)
            asked[keys.partition(each.generation, each.partition).retries].append(row_key_of(each.stream))
        async with asking_redis(self._settings):
            for key, ids in asked.items():
                await (await self._servers.at(key)).sadd(key, *ids)

    async def wait(self, projection: Projection[Any], judge: Judge, seconds: float) -> Sequence[Outcome]:
        """What `judge` says once nothing is pending, or when so many seconds are over.

        A Redis that is away meanwhile may come back; it is nothing where none could be read all the time.
        """
        ends, outcomes = time.monotonic() + seconds, tuple[Outcome, ...]()
        while True:
            try:
                outcomes = tuple(judge(await self._models.health(projection)))
            except ReadModelUnavailable:
                _logger.debug("blocks_not_read", projection=projection.name)
            if (outcomes and PENDING not in outcomes) or time.monotonic() >= ends:
                return outcomes
            await asyncio.sleep(_LOOK_EVERY)


@asynccontextmanager
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """One on connections of its own. Raises SettingsError, StoreUnavailable."""
    async with asked_read_models(settings) as (servers, models):
        yield Desk(settings, servers, models)
