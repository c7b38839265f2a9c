"""Has a worker of a saga look for deadlines that have passed, in Redis several times a second and rarely in the log."""

import asyncio
from typing import Final

import structlog

from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log import Log
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import Servers, servers_at
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.timers.timer_index import TimerIndex
from infrastructure.timers.timer_log import TimerLog
from infrastructure.timers.timer_watch import TimerWatch
from projections.saga_timers import timers_of
from service.consumers import EVENTS
from service.settings import Settings, variable_of

_SECONDS: Final = 0.4  # from one look in Redis to the next
_logger: Final = structlog.get_logger(__name__)


async def watch_timers(
    coordinator: SagaCoordinator,
    client: CommandClient,
    settings: Settings,
    stop: asyncio.Event,
    options: ConsumerOptions,
) -> None:
    """Until `stop` is set; returns at once for a saga without deadlines. Raises only errors of the engine's own.

    Where no Redis is named it looks in the log alone, as it does where Redis is away.
    """
    if not coordinator.saga.has_deadlines:
        return
    servers = _servers(coordinator, settings)
    looking = [asyncio.create_task(_in_log(coordinator, client, options))]
    if servers is not None:
        looking.append(asyncio.create_task(_in_redis(coordinator, client, servers, settings, options)))
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({*looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*looking, stopping):
            task.cancel()
        await asyncio.gather(*looking, stopping, return_exceptions=True)
        if servers is not None:
            await servers.aclose()


def _servers(coordinator: SagaCoordinator, settings: Settings) -> Servers | None:
    if settings.redis_uri is None:
        reason = f"{variable_of('redis_uri')} is not set: they are found up to some minutes after they passed"
        _logger.warning("saga_deadlines_late", saga=coordinator.saga.category, reason=reason)
        return None
    return servers_at(settings.redis, settings.read_seconds)


async def _in_log(coordinator: SagaCoordinator, client: CommandClient, options: ConsumerOptions) -> None:
    overdue = TimerLog(Log(client), EventCodec(EVENTS), coordinator.saga)
    await TimerWatch(coordinator, overdue, options).run(options.sweep_every, first=options.settling)


async def _in_redis(
    coordinator: SagaCoordinator,
    client: CommandClient,
    servers: Servers,
    settings: Settings,
    options: ConsumerOptions,
) -> None:
    models = ReadModels(servers, client, settings.namespace, read_seconds=settings.read_seconds)
    await TimerWatch(coordinator, TimerIndex(models, timers_of(coordinator.saga)), options).run(_SECONDS)
