"""Workers look at the index in Redis several times a second, and fire what the stream and the clock say has passed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.engine_events import SagaResumed, SagaStopped
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import servers_at
from infrastructure.timers.timer_index import TimerIndex
from projections.saga_timers import timers_of
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.infrastructure.sagas.consumers import until
from tests.infrastructure.sagas.patient_errand import PATIENCE, PatientErrands
from tests.infrastructure.timers.crowd import DUE, Crowd


@asynccontextmanager
async def indexed(eventstore_uri: str, redis_uri: str, crowd: Crowd) -> AsyncIterator[TimerIndex]:
    """The index of a crowd's deadlines, which a worker keeps."""
    namespace, projection = f"test-{uuid4().hex[:12]}", timers_of(crowd.errands.saga)
    deployed = Deployment(eventstore_uri, redis_uri, namespace, 2, crowd.errands.codec)
    servers = servers_at(redis_uri, 5.0)
    with ThreadWorker(deployed, projection):
        yield TimerIndex(ReadModels(servers, crowd.client, namespace), projection)
        await servers.aclose()


async def until_indexed(index: TimerIndex, number: int) -> None:
    """Waits until the index says of so many instances that a deadline of theirs has passed, at the end of time."""

    async def found() -> bool:
        try:
            pages = [page async for page in index.passed(DUE + timedelta(days=1))]
        except ReadModelUnavailable:
            return False
        return sum(map(len, pages)) == number

    await until(found, f"{number} in the index")


@pytest.mark.parametrize("number", [120, pytest.param(1_000, marks=pytest.mark.soak)])
def test_two_workers_fire_each_of_many_that_pass_at_one_instant_once(
    eventstore_uri: str, redis_uri: str, figures: list[str], number: int
) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client, connected(eventstore_uri) as own:
            crowd = Crowd(client, PatientErrands())
            rival = Crowd(own, crowd.errands)
            streams = await crowd.wait(*[DUE] * number)
            (later,) = await crowd.wait(DUE + timedelta(hours=1))
            async with indexed(eventstore_uri, redis_uri, crowd) as index:
                await until_indexed(index, number + 1)
                crowd.errands.calendar.pass_by(PATIENCE)
                loop = asyncio.get_running_loop()
                began = loop.time()
                await asyncio.gather(crowd.watch(index).look(), rival.watch(index).look())
                figures.append(f"{number} deadlines of one instant: {loop.time() - began:.1f} s by two workers")
                assert await crowd.fired([*streams, later]) == {**dict.fromkeys(streams, 1), later: 0}
                await until_indexed(index, 1)

    asyncio.run(run())


def test_it_fires_soon_after_it_passed_and_after_its_instance_goes_on(eventstore_uri: str, redis_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            crowd = Crowd(client, PatientErrands())
            ours, stopped = [*await crowd.wait(DUE), *await crowd.wait(DUE, tenant="acme")]
            stop = SagaStopped(stream=ours, version=0, position=1, message_id="m", error="a bug")
            await crowd.write(stopped, stop, version=2)
            async with indexed(eventstore_uri, redis_uri, crowd) as index:
                await until_indexed(index, 1)
                watching = asyncio.create_task(crowd.watch(index).run(every=0.05))
                assert await crowd.fired([ours]) == {ours: 0}
                crowd.errands.calendar.pass_by(PATIENCE)
                await until_fired(crowd, ours)
                await crowd.write(stopped, SagaResumed(why="mended"), version=3)
                await until_indexed(index, 1)
                watching.cancel()
                assert await crowd.fired([ours, stopped]) == {ours: 1, stopped: 0}  # its message is to be taken first

    asyncio.run(run())


async def until_fired(crowd: Crowd, stream: str) -> None:
    async def fired() -> bool:
        return await crowd.fired([stream]) == {stream: 1}

    await until(fired, f"the deadline of {stream}")
