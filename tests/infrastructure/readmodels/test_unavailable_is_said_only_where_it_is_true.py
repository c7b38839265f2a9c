"""A Redis that is slow, or has closed the connection that a query comes over, still answers it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from infrastructure.eventstore.client import command_client
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import OneServer
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import Opened, Tally
from tests.infrastructure.readmodels.workers import deployment, followed_tallies
from tests.support.positions import at

TALLY = "0000000a"


class RedisPath:
    """The way to a Redis, on a port: what is sent is delayed, or ends the connections that there are."""

    def __init__(self, redis_uri: str) -> None:
        self._target = redis_uri.removeprefix("unix://").partition("?")[0]
        self._old: set[asyncio.StreamWriter] = set()
        self._closed: set[asyncio.StreamWriter] = set()
        self.delay = 0.0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def close_on_use(self) -> None:
        """Every connection of now ends when the next command comes over it."""
        self._closed = set(self._old)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, commands = await asyncio.open_unix_connection(self._target)
        self._old.add(writer)
        back = asyncio.create_task(_pump(answers, writer))
        while (sent := await reader.read(65_536)) and writer not in self._closed:
            asyncio.get_running_loop().call_later(self.delay, commands.write, sent)
        back.cancel()
        writer.close()
        commands.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while received := await reader.read(65_536):
        writer.write(received)


@pytest.fixture
def deployed(eventstore_uri: str, redis_uri: str, namespace: str) -> Deployment:
    if not redis_uri.startswith("unix://"):
        pytest.skip("the way to Redis is made for a unix socket")
    return deployment(eventstore_uri, redis_uri, namespace)


@pytest.fixture
def projection(deployed: Deployment, category: str) -> Iterator[Projection[Tally]]:
    with followed_tallies(deployed, category) as followed, Logbook(deployed.eventstore_uri, category) as log:
        Reader(deployed).row(followed, TALLY, at_least=log.write(TALLY, Opened(owner="ann")))
        yield followed


@asynccontextmanager
async def reading(deployed: Deployment, path: RedisPath, seconds: float) -> AsyncIterator[ReadModels]:
    async with path.open() as uri:
        client, connection = await command_client(deployed.eventstore_uri), Redis.from_url(uri)
        try:
            yield ReadModels(OneServer(connection), client, deployed.namespace, read_seconds=seconds)
        finally:
            await connection.aclose()
            await client.close()


def test_a_query_that_does_not_wait_for_a_position_waits_for_a_slow_redis(
    deployed: Deployment, projection: Projection[Tally]
) -> None:
    async def story() -> None:
        path = RedisPath(deployed.redis_uri)
        path.delay = 0.15
        async with reading(deployed, path, seconds=10) as models:
            found = await models.get(projection, TALLY, at_least=at(1), wait=0.0)
            assert found.row is not None

    asyncio.run(story())


def test_a_redis_that_takes_longer_than_a_read_may_is_unavailable(
    deployed: Deployment, projection: Projection[Tally]
) -> None:
    async def story() -> None:
        path = RedisPath(deployed.redis_uri)
        path.delay = 1.0
        async with reading(deployed, path, seconds=0.5) as models:
            with pytest.raises(ReadModelUnavailable, match=r"within 0\.5 s"):
                await models.get(projection, TALLY, at_least=at(1), wait=30.0)

    asyncio.run(story())


def test_a_query_over_a_connection_that_was_closed_is_repeated_on_a_fresh_one(
    deployed: Deployment, projection: Projection[Tally]
) -> None:
    async def story() -> None:
        path = RedisPath(deployed.redis_uri)
        async with reading(deployed, path, seconds=10) as models:
            first = await models.get(projection, TALLY)
            await asyncio.gather(*(models.get(projection, TALLY) for _ in range(5)))
            path.close_on_use()
            assert await models.get(projection, TALLY) == first

    asyncio.run(story())
