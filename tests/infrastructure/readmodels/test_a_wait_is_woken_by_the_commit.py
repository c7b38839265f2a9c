"""Queries that wait for a position: woken by the commit, and answered as soon where no word of it comes."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import structlog
from redis.asyncio import BlockingConnectionPool, Redis

from domain.message import Recorded
from infrastructure.eventstore.client import command_client
from infrastructure.readmodels.commit_listener import CommitListener
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import OneServer
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until_async
from tests.support.positions import at
from tests.support.redis import RedisProcess

TALLY = "0000000a"
LONG = 25.0
"""More seconds than anything here takes: who waits so long is woken, or the test fails."""


class Pausing:
    """A projection that stands still at each event that raises by 7 until it is let go."""

    def __init__(self, category: str) -> None:
        self.let_go = threading.Event()
        plain = tallies(category)
        raised: Any = plain.handlers[Raised]

        def held(row: Tally | None, recorded: Recorded[Raised]) -> Tally | None:
            if recorded.event.by == 7:
                self.let_go.wait(LONG)
            result: Tally | None = raised(row, recorded)
            return result

        self.projection: Projection[Tally] = replace(plain, handlers={**plain.handlers, Raised: held})


class Waiting:
    """The read models of one process that listens to commits, over a Redis of its own, and a worker beside it."""

    def __init__(self, pausing: Pausing, deployed: Deployment, models: ReadModels, listener: CommitListener) -> None:
        self.pausing = pausing
        self.models = models
        self.listener = listener
        self.redis: Redis = Redis.from_url(deployed.redis_uri)
        self.begun = 0
        self._deployed = deployed

    def write(self, *amounts: int) -> int:
        with Logbook(self._deployed.eventstore_uri, self.pausing.projection.category) as log:
            return log.write(TALLY, *(Raised(by=amount) for amount in amounts))

    def elsewhere(self) -> int:
        with Logbook(self._deployed.eventstore_uri, self.pausing.projection.category) as log:
            return log.elsewhere(1)

    async def begin(self, number: int, position: int) -> "list[asyncio.Task[int]]":
        """So many queries that wait for the position."""

        async def begins() -> None:
            self.begun += 1

        async def total() -> int:
            models = self.models.announcing(begins)
            read = await models.get(self.pausing.projection, TALLY, at_least=at(position), wait=LONG)
            assert read.row is not None
            return read.row.total

        before = self.begun
        tasks = [asyncio.create_task(total()) for _ in range(number)]
        await poll_until_async(lambda: self._is(self.begun == before + number), WAIT, what="queries that wait")
        return tasks

    async def total(self, position: int) -> int:
        """What one query finds there, whether it has to wait or not."""
        read = await self.models.get(self.pausing.projection, TALLY, at_least=at(position), wait=LONG)
        assert read.row is not None
        return read.row.total

    async def is_heard(self) -> bool:
        """Whether commits of the partition are announced, as far as is known."""
        return self.listener.heard(("tallies", 1, 0)) is not None

    async def calls(self, command: str) -> int:
        """How often Redis was sent that command, or for `get` its like for several keys."""
        stats: dict[str, Any] = await self.redis.info("commandstats")
        names = ("get", "mget") if command == "get" else (command,)
        return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in names)

    @staticmethod
    async def _is(value: bool) -> bool:
        return value


Story = Callable[[Waiting], Awaitable[None]]


@asynccontextmanager
async def waiting(deployed: Deployment, category: str, *, worker: Deployment | None = None) -> AsyncIterator[Waiting]:
    """With one event folded and heard of, unless nobody may hear; the worker may be deployed as somebody else."""
    pausing = Pausing(category)
    with Logbook(deployed.eventstore_uri, category) as log:
        log.write(TALLY, Opened(owner="ann"))
    client = await command_client(deployed.eventstore_uri)
    pool = BlockingConnectionPool.from_url(deployed.redis_uri, max_connections=32, timeout=LONG)
    servers = OneServer(Redis(connection_pool=pool))
    listener = CommitListener(servers, deployed.namespace)
    listening = asyncio.create_task(listener.run())
    models = ReadModels(servers, client, deployed.namespace, listener=listener)
    with ThreadWorker(worker or deployed, pausing.projection):
        try:
            await asyncio.to_thread(Reader(deployed).wait_until_available, pausing.projection)
            yield Waiting(pausing, deployed, models, listener)
        finally:
            pausing.let_go.set()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await servers.aclose()
            await client.close()


@pytest.fixture
def own() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


@pytest.fixture
def deployed(eventstore_uri: str, own: RedisProcess, namespace: str) -> Deployment:
    return deployment(eventstore_uri, own.uri, namespace)


def tell(story: Story, deployed: Deployment, category: str) -> None:
    """Once commits are heard of."""

    async def told() -> None:
        async with waiting(deployed, category) as models:
            await poll_until_async(lambda: _heard(models), WAIT, what="an announcement")
            await story(models)

    asyncio.run(told())


async def _heard(models: Waiting) -> bool:
    await models.total(models.write(1))
    return await models.is_heard()


def test_while_many_wait_only_one_looks(deployed: Deployment, category: str) -> None:
    """A query reads rows in a transaction: nobody does while nothing is committed. A checkpoint is read alone."""

    async def story(models: Waiting) -> None:
        queries = await models.begin(200, models.write(7))
        began, reads, looks = time.monotonic(), await models.calls("exec"), await models.calls("get")

        async def looked() -> bool:
            return await models.calls("get") >= looks + 40

        await poll_until_async(looked, WAIT, what="twenty looks")
        assert await models.calls("get") - looks <= 3 * (time.monotonic() - began) / 0.1 + 10
        assert await models.calls("exec") - reads < 20  # the worker's own
        models.pausing.let_go.set()
        assert len(set(await asyncio.gather(*queries))) == 1
        assert 200 <= await models.calls("exec") - reads <= 220

    tell(story, deployed, category)


def test_events_of_others_wake_nobody_and_the_log_is_asked_once_for_all(deployed: Deployment, category: str) -> None:
    """What was read already is the state there: nobody reads again."""

    async def story(models: Waiting) -> None:
        position, reads = models.elsewhere(), await models.calls("exec")
        totals = await asyncio.gather(*(models.total(position) for _ in range(100)))
        assert len(set(totals)) == 1
        assert 100 <= await models.calls("exec") - reads <= 120

    tell(story, deployed, category)


def test_a_connection_that_is_cut_costs_nobody_the_answer_and_is_made_anew(deployed: Deployment, category: str) -> None:
    async def story(models: Waiting) -> None:
        [query] = await models.begin(1, models.write(7))
        await models.redis.client_kill_filter(_type="pubsub")
        await poll_until_async(lambda: _unheard(models), WAIT, what="the end of the connection")
        looks = await models.calls("get")
        models.pausing.let_go.set()
        await query
        assert await models.calls("get") > looks
        await poll_until_async(lambda: _heard(models), WAIT, what="an announcement")

    tell(story, deployed, category)


async def _unheard(models: Waiting) -> bool:
    return not await models.is_heard()


def test_commits_are_heard_again_after_a_restart_of_redis(
    deployed: Deployment, category: str, own: RedisProcess
) -> None:
    """Who waits when Redis goes away is told so, and not left to wait."""

    async def story(models: Waiting) -> None:
        began = time.monotonic()
        [query] = await models.begin(1, models.write(7))
        await asyncio.to_thread(own.kill)
        with pytest.raises(ReadModelUnavailable):
            await query
        assert time.monotonic() - began < WAIT
        assert not await models.is_heard()
        models.pausing.let_go.set()
        await asyncio.to_thread(own.start)
        await asyncio.to_thread(
            Reader(deployment(deployed.eventstore_uri, own.uri, deployed.namespace)).wait_until_available,
            models.pausing.projection,
        )
        await poll_until_async(lambda: _heard(models), WAIT, what="an announcement")

    tell(story, deployed, category)


def test_who_may_not_subscribe_or_announce_waits_as_before_and_says_so_once(
    deployed: Deployment, category: str, own: RedisProcess
) -> None:
    quiet = replace(deployed, redis_uri=f"{own.uri}?username=quiet&password=pw")

    async def told() -> list[str]:
        async with Redis.from_url(own.uri) as operator:
            await operator.acl_setuser(
                "quiet", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"], reset_channels=True
            )
        with structlog.testing.capture_logs() as lines:
            async with waiting(quiet, category) as models:
                before = await models.total(models.write(1))
                assert await models.total(models.write(2)) == before + 2
                assert not await models.is_heard()
        return sorted(line["event"] for line in lines if line["event"].startswith("commits_"))

    assert asyncio.run(told()) == ["commits_not_announced", "commits_not_heard"]
