"""Feeds a saga's coordinator from a persistent subscription, until it is told to stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog

from infrastructure.eventstore.client import CommandClient, address_of
from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.persistent_subscription import PersistentSubscription, join_group
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions, Deliveries
from infrastructure.sagas.errors import NotBegun
from infrastructure.sagas.filters import filter_id, group_name
from infrastructure.sagas.former_groups import FormerGroups
from infrastructure.sagas.start_position import StartPosition
from infrastructure.sagas.sweep import Sweep
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint
from infrastructure.subscriptions.policy import back_off

_logger: Final = structlog.get_logger(__name__)
_LAST_SECONDS: Final = 1.0  # for what a process takes back when it stops
_STEADY: Final = 10.0  # a subscription that held for so many seconds was a good one


async def consume_saga(
    coordinator: SagaCoordinator,
    client: CommandClient,
    saga_groups: str,
    stop: asyncio.Event,
    options: ConsumerOptions = ConsumerOptions(),  # noqa: B008 - frozen
) -> None:
    """Reacts to every message of the saga, together with others who do the same, until `stop` is set.

    The name of its group is `saga_groups` and a digest of the filter. It is made where it is missing, after it was
    written where the saga begins. `client` is this consumer's own. A message is acknowledged after nothing of it is
    pending; meanwhile the log is swept for others that no delivery brought to an end. A lost subscription is joined
    again, after growing pauses, once the store is there. On `stop` the reactions under way end within the grace, and
    the other messages are given back. Raises only errors of the engine's own.
    """
    sweep = Sweep(coordinator, Log(client), options.policy, options.outages, options.gate)
    pattern = sweep.start.pattern
    group = group_name(saga_groups, filter_id(pattern))
    former = FormerGroups(client, saga_groups, sweep.start.filters, pattern)
    logger, losses = _logger.bind(saga=coordinator.saga.category, group=group), 0
    logger.info("saga_consumer_started", filter=pattern, address=address_of(client))
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await options.attempts.take_back(coordinator)
            begun = await _begun(sweep.start)
            subscription = await join_group(client, group, pattern, begun.position, buffer=2 * options.concurrency)
            options.outages.succeeded(coordinator.saga.category)
            logger.info("saga_subscription_joined", subscription=subscription.id)
            deliveries = Deliveries(subscription, coordinator, options, begun.begin)
            async with _running(former.run(options.sweep_every)), _joined(options, coordinator.saga.category):
                await _serve(subscription, deliveries, sweep.run(options.settling, options.sweep_every), stop)
        except (StoreUnavailable, NotBegun) as error:
            losses = 1 if asyncio.get_running_loop().time() - began > _STEADY else losses + 1
            pause = back_off(losses, longest=5.0)
            if not options.outages.failed(coordinator.saga.category, error):
                logger.warning("saga_waits", reason=str(error), retry_after=pause)
            await _until_back(stop, pause, options, error)
    await _within(_LAST_SECONDS, options.attempts.take_back(coordinator))
    logger.info("saga_consumer_stopped")


async def _begun(start: StartPosition) -> SweepCheckpoint:
    """Where the sweep is, hence where a group is to be made. Raises StoreUnavailable, NotBegun."""
    try:
        return await start.checkpoint()
    except StoreUnavailable:
        raise
    except EventStoreError as error:
        raise NotBegun(str(error)) from error


@asynccontextmanager
async def _joined(options: ConsumerOptions, saga: str) -> AsyncIterator[None]:
    options.joined.add(saga)
    try:
        yield
    finally:
        options.joined.discard(saga)


@asynccontextmanager
async def _running(beside: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Something that never ends and never fails runs while the block lasts."""
    task = asyncio.create_task(beside)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _serve(
    subscription: PersistentSubscription,
    deliveries: Deliveries,
    sweep: Coroutine[Any, Any, None],
    stop: asyncio.Event,
) -> None:
    """One subscription's life. Raises StoreUnavailable where it is lost, and what stops the worker."""
    receiving = asyncio.create_task(_receive(subscription, deliveries))
    sweeping = asyncio.create_task(sweep)
    stopping = asyncio.create_task(stop.wait())
    try:
        watched: set[asyncio.Future[Any]] = {receiving, sweeping, stopping, deliveries.failure}
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await deliveries.finish()
        if deliveries.failure.done():
            deliveries.failure.result()
        if sweeping.done():
            sweeping.result()
        if receiving.done():
            receiving.result()
    finally:
        sweeping.cancel()
        await deliveries.abandon()
        await _within(3.0, subscription.stop())
        receiving.cancel()
        stopping.cancel()
        await asyncio.gather(receiving, sweeping, stopping, return_exceptions=True)


async def _receive(subscription: PersistentSubscription, deliveries: Deliveries) -> None:
    async for delivered in subscription:
        deliveries.start(delivered)
    raise StoreUnavailable(subscription.address, "the subscription ended")


async def _within(seconds: float, ending: Awaitable[Any]) -> None:
    """Flushing the acknowledgements of a dead connection may never end, and a store that is away takes no note."""
    with suppress(TimeoutError, StoreUnavailable):
        await asyncio.wait_for(ending, seconds)


async def _until_back(stop: asyncio.Event, pause: float, options: ConsumerOptions, error: Exception) -> None:
    """After the pause, and once the store is there; earlier where `stop` is set."""
    options.suspect(error)
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), pause)
    waiting = [asyncio.create_task(each) for each in (stop.wait(), options.until_store_is_there())]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
