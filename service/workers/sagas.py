"""Runs the saga coordinators on their persistent subscriptions; any number of these processes share the work."""

import asyncio
from contextlib import suppress
from typing import Final

import uvloop

from infrastructure.command_counts import CommandCounts
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.eventstore.client import CommandClient, command_client
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.outages import Outages
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.subscriptions.policy import back_off
from service.consumers import EVENTS, SAGAS, SNAPSHOTS, groups_of, route, sagas_of
from service.settings import Settings
from service.telemetry.process_traces import recording_traces
from service.workers.collector import freeze_startup_objects
from service.workers.lifetime import end_with, stop_event
from service.workers.metrics_port import metrics_on
from service.workers.saga_timers import watch_timers
from service.workers.worker_health import WorkerHealth, of_memberships

_GRACE: Final = 3.0
_TICK: Final = 1.0


def run_sagas(settings: Settings, stop_when_closed: int | None) -> int:
    """Runs until SIGTERM or SIGINT, then finishes or returns what is in progress. Raises what no policy covers."""
    uri = settings.eventstore
    end_with(stop_when_closed)
    counts, options = CommandCounts(), ConsumerOptions(grace=_GRACE)
    sagas = [saga.category for saga in sagas_of(settings)]
    health = WorkerHealth(options.outages, {"eventstore", *sagas}, lambda: of_memberships(sagas, options.joined))
    counts.expect_steps(saga.category for saga in SAGAS)
    with recording_traces(settings, "sagas"), metrics_on(settings, health, *counts.collectors, counts.steps):
        freeze_startup_objects()
        uvloop.run(_run(uri, settings, counts, options))
    return 0


async def _run(uri: str, settings: Settings, counts: CommandCounts, options: ConsumerOptions) -> None:
    stop = stop_event()
    ticking = asyncio.create_task(_tick(options.outages))
    try:
        await _consume_all(uri, settings, counts, stop, options)
    finally:
        ticking.cancel()


async def _tick(outages: Outages) -> None:
    while True:
        await asyncio.sleep(_TICK)
        outages.tick()


async def _consume_all(
    uri: str, settings: Settings, counts: CommandCounts, stop: asyncio.Event, options: ConsumerOptions
) -> None:
    """All sagas share one connection for commands; each subscription, a call that does not end, has its own."""
    outages = options.outages
    commands = await _connected(uri, stop, "commands", outages)
    if commands is None:
        return
    codec, bounds = EventCodec(EVENTS), Bounds(cached=settings.cached_aggregates)
    handler = CommandHandler(commands, codec, bounds=bounds, snapshots=SNAPSHOTS, counts=counts, outages=outages)
    try:
        async with asyncio.TaskGroup() as consumers:
            for saga in sagas_of(settings):
                coordinator = SagaCoordinator(saga, route, handler, codec)
                consumers.create_task(_consume(coordinator, uri, groups_of(saga, settings.namespace), stop, options))
                consumers.create_task(watch_timers(coordinator, commands, settings, stop, options))
    finally:
        await handler.close()
        await commands.close()


async def _consume(
    coordinator: SagaCoordinator, uri: str, groups: str, stop: asyncio.Event, options: ConsumerOptions
) -> None:
    subscription = await _connected(uri, stop, groups, options.outages)
    if subscription is None:
        return
    try:
        await consume_saga(coordinator, subscription, groups, stop, options)
    finally:
        await subscription.close()


async def _connected(uri: str, stop: asyncio.Event, party: str, outages: Outages) -> CommandClient | None:
    """A client, as soon as the store is found; None if `stop` is set before."""
    failures = 0
    while not stop.is_set():
        try:
            client = await command_client(uri)
        except StoreUnavailable as error:
            failures += 1
            outages.failed(party, error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), back_off(failures, longest=5.0))
        else:
            outages.succeeded(party)
            return client
    return None
