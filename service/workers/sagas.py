"""Runs the saga coordinators on their persistent subscriptions; any number of these processes share the work."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import structlog
import uvloop
from esdbclient import AsyncEventStoreDBClient

from domain.saga import Saga
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.commands import CommandHandler
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.subscriptions.policy import back_off
from service.consumers import EVENTS, SAGAS, route
from service.settings import Settings
from service.workers.lifetime import end_with, told_to_stop

OPTIONS: Final = ConsumerOptions(grace=3.0)
_log = structlog.get_logger(__name__)


def run_sagas(settings: Settings, stop_when_closed: int | None) -> int:
    """Reacts until SIGTERM or SIGINT; what is under way then is ended or given back. Raises what no policy foresees."""
    uri = settings.eventstore
    end_with(stop_when_closed)
    uvloop.run(_run(uri, settings.namespace))
    return 0


async def _run(uri: str, namespace: str) -> None:
    stop = told_to_stop()
    async with asyncio.TaskGroup() as consumers:
        for saga in SAGAS:
            consumers.create_task(_consume(saga, uri, f"{namespace}-{saga.category}", stop))


async def _consume(saga: Saga[Any, Any], uri: str, group: str, stop: asyncio.Event) -> None:
    """A subscription is a call that does not end, so it has a connection of its own beside the one for commands."""
    codec = EventCodec(EVENTS)
    commands, subscription = await _connected(uri, stop), await _connected(uri, stop)
    if commands is None or subscription is None:
        return
    try:
        coordinator = SagaCoordinator(saga, route, CommandHandler(commands, codec), codec)
        await consume_saga(coordinator, subscription, group, stop, OPTIONS)
    finally:
        await subscription.close()
        await commands.close()


async def _connected(uri: str, stop: asyncio.Event) -> AsyncEventStoreDBClient | None:
    """A client, as soon as the store can be found; None when it is time to stop before that."""
    failures = 0
    while not stop.is_set():
        try:
            return await command_client(uri)
        except StoreUnavailable as error:
            failures += 1
            pause = back_off(failures, longest=5.0)
            _log.warning("eventstore_missed", address=error.address, reason=error.reason, retry_after=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
    return None
