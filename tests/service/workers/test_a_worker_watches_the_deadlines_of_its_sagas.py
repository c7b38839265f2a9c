"""A saga worker looks for deadlines that have passed while it runs, and ends that when it is stopped."""

import asyncio
from uuid import uuid4

import pytest

from infrastructure.readmodels.deployment import Deployment
from infrastructure.sagas.deliveries import ConsumerOptions
from projections.saga_timers import timers_of
from service.settings import Settings
from service.workers.saga_timers import watch_timers
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.infrastructure.sagas.consumers import SECONDS, until
from tests.infrastructure.sagas.errand import Errands, new_tag
from tests.infrastructure.sagas.patient_errand import PATIENCE, PatientErrands
from tests.infrastructure.timers.crowd import DUE, Crowd


def test_it_fires_what_has_passed_until_it_is_stopped(eventstore_uri: str, redis_uri: str) -> None:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=f"test-{uuid4().hex[:12]}")

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            crowd, stop = Crowd(client, PatientErrands()), asyncio.Event()
            (stream,) = await crowd.wait(DUE)
            crowd.errands.calendar.pass_by(PATIENCE)
            watching = asyncio.create_task(
                watch_timers(crowd.coordinator(), client, settings, stop, ConsumerOptions(settling=SECONDS))
            )

            async def fired() -> bool:
                return await crowd.fired([stream]) == {stream: 1}

            deployed = Deployment(eventstore_uri, redis_uri, settings.namespace, 1, crowd.errands.codec)
            with ThreadWorker(deployed, timers_of(crowd.errands.saga)):
                await until(fired, "the deadline")
            stop.set()
            await asyncio.wait_for(watching, SECONDS)

    asyncio.run(run())


@pytest.mark.parametrize("redis_uri", ["redis://127.0.0.1:1/0", None], ids=["away", "not named"])
def test_what_is_overdue_is_found_without_redis(eventstore_uri: str, redis_uri: str | None) -> None:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri)

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            crowd, stop = Crowd(client, PatientErrands()), asyncio.Event()
            (stream,) = await crowd.wait(DUE)
            crowd.errands.calendar.pass_by(2 * PATIENCE)
            options = ConsumerOptions(settling=0.0)
            watching = asyncio.create_task(watch_timers(crowd.coordinator(), client, settings, stop, options))

            async def fired() -> bool:
                return await crowd.fired([stream]) == {stream: 1}

            await until(fired, "the overdue deadline")
            stop.set()
            await asyncio.wait_for(watching, SECONDS)

    asyncio.run(run())


def test_a_saga_without_deadlines_is_not_watched(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            coordinator = Errands(new_tag()).coordinator(client)
            watching = watch_timers(coordinator, client, Settings(), asyncio.Event(), ConsumerOptions())
            await asyncio.wait_for(watching, SECONDS)
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
