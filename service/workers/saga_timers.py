"""Has a worker of a saga look for deadlines that have passed, in Redis several times a second and rarely in the log."""

import asyncio
from typing import Final

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
from service.settings import Settings

_SECONDS: Final = 0.4  # from one look in Redis to the next


async def watch_timers(
    coordinator: SagaCoordinator,
    client: CommandClient,
    settings: Settings,
    stop: asyncio.Event,
    options: ConsumerOptions,
) -> None:
    """Until `stop` is set; returns at once for a saga without deadlines. Raises only errors of the engine's own."""
    if not coordinator.saga.has_deadlines:
        return
    servers = servers_at(settings.redis, settings.read_seconds)
    index, overdue = _watches(coordinator, client, servers, settings, options)
    looking = [
        asyncio.create_task(index.run(_SECONDS)),
        asyncio.create_task(overdue.run(options.sweep_every, first=options.settling)),
    ]
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({*looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*looking, stopping):
            task.cancel()
        await asyncio.gather(*looking, stopping, return_exceptions=True)
        await servers.aclose()


def _watches(
    coordinator: SagaCoordinator,
    client: CommandClient,
    servers: Servers,
    settings: Settings,
    options: ConsumerOptions,
) -> tuple[TimerWatch, TimerWatch]:
    saga = coordinator.saga
    models = ReadModels(servers, client, settings.namespace, read_seconds=settings.read_seconds)
    index, log = TimerIndex(models, timers_of(saga)), TimerLog(Log(client), EventCodec(EVENTS), saga)
    return TimerWatch(coordinator, index, options), TimerWatch(coordinator, log, options)
