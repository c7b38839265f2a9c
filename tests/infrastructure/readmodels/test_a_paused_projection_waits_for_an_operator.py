"""A projection that an operator has paused: nobody folds it until it is resumed, and others go on."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.streams import Streams
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelBehind
from infrastructure.readmodels.health import ProjectionHealth
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pause_readers import PauseWatch
from infrastructure.readmodels.pauses import Operation, record_operation
from tests.infrastructure.eventstore.proxy import line_to
from tests.infrastructure.readmodels.logbook import CODEC, Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import AT, raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.support.polling import poll_until, poll_until_async
from tests.support.positions import at

TALLIES = new_tallies(3)
NOTHING = ProjectionHealth(None, None, (), projection="tallies")


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        logbook.open(TALLIES)
        yield logbook


async def recorded(deployed: Deployment, *, paused: bool) -> Operation | None:
    """Pauses `tallies`, or lets them go on; the pause that stood before."""
    client = await command_client(deployed.eventstore_uri)
    streams = Streams(client, CODEC)
    operation = Operation(namespace=deployed.namespace, projection="tallies", actor="cli:ada", why="so it is", at=AT)
    try:
        return await record_operation(streams, operation, paused=paused)
    finally:
        await streams.close()
        await client.close()


def pause(deployed: Deployment) -> Operation | None:
    return asyncio.run(recorded(deployed, paused=True))


def resume(deployed: Deployment) -> Operation | None:
    return asyncio.run(recorded(deployed, paused=False))


def await_given_back(deployed: Deployment, connection: redis.Redis) -> None:
    """Until nobody holds the lease of `tallies` any more."""
    key = ProjectionKeys(deployed.namespace, "tallies").partition(1, 0).lease
    poll_until(lambda: not connection.exists(key), seconds=WAIT, what="the lease to be given back")


def keys_of(deployed: Deployment, connection: redis.Redis) -> list[bytes]:
    """All of the namespace."""
    return list(connection.scan_iter(match=f"{{{deployed.namespace}*", count=10_000))


def test_it_stands_still_while_others_of_its_group_go_on_and_catches_up_once_it_is_resumed(
    deployed: Deployment, category: str, log: Logbook, connection: redis.Redis
) -> None:
    still, moving, reader = tallies(category), raises(category), Reader(deployed)
    before = log.raise_all(TALLIES, times=2)
    with ThreadWorker(deployed, still, moving):
        reader.wait_until_available(still)
        rows = reader.totals(still, TALLIES, at_least=before)
        assert pause(deployed) is None
        await_given_back(deployed, connection)
        after = log.raise_all(TALLIES, times=3)
        assert reader.totals(moving, TALLIES, at_least=after) == log.totals
        assert (reader.health(still).position, reader.health(moving).position) == (before, after)
        assert reader.totals(still, TALLIES, at_least=before) == rows
        with pytest.raises(ReadModelBehind):
            reader.ask(lambda models: models.get(still, TALLIES[0], at_least=at(after), wait=0.0))
        assert resume(deployed) is not None
        assert reader.totals(still, TALLIES, at_least=after) == log.totals
    assert reader.entries(still, "owner:ann") != []


def test_a_worker_that_starts_meanwhile_leaves_it_alone_and_what_redis_loses_is_built_once_it_is_resumed(
    deployed: Deployment, category: str, log: Logbook, connection: redis.Redis
) -> None:
    still, moving, reader = tallies(category), raises(category), Reader(deployed)
    position = log.raise_all(TALLIES, times=2)
    assert pause(deployed) is None
    assert pause(deployed) is not None
    with ThreadWorker(deployed, still, moving):
        reader.wait_until_available(moving)
        assert reader.health(still) == NOTHING
        resume(deployed)
        reader.wait_until_available(still)
        pause(deployed)
        await_given_back(deployed, connection)
        connection.delete(*keys_of(deployed, connection))
        reader.wait_until_available(moving)
        assert reader.totals(moving, TALLIES, at_least=position) == log.totals
        assert reader.health(still) == NOTHING
        assert resume(deployed) is not None
        assert resume(deployed) is None
        reader.wait_until_available(still)
        assert reader.totals(still, TALLIES, at_least=position) == log.totals


def test_what_was_known_stays_while_the_store_is_away(deployed: Deployment) -> None:
    asyncio.run(_outage(deployed))


async def _outage(deployed: Deployment) -> None:
    await recorded(deployed, paused=True)
    async with line_to(deployed.eventstore_uri) as (line, through):
        behind = replace(deployed, eventstore_uri=through)
        known, unknown = PauseWatch(behind), PauseWatch(behind)

        async def is_paused() -> bool:
            return await asyncio.to_thread(known.of, "tallies") is not None

        async def is_resumed() -> bool:
            return not await is_paused()

        async def is_missed() -> bool:
            return await is_paused() and behind.outages.eventstore.is_missed_by("pauses")

        assert await is_paused()
        line.refuse()
        await poll_until_async(is_missed, seconds=WAIT, what="an outage")
        with pytest.raises(StoreUnavailable):
            await asyncio.to_thread(unknown.of, "tallies")
        await recorded(deployed, paused=False)
        assert await is_paused()
        line.restore()
        await poll_until_async(is_resumed, seconds=WAIT, what="what was recorded meanwhile")
        for watch in (known, unknown):
            watch.close()
