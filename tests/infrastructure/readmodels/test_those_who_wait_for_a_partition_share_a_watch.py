"""One partition that many wait for: who is told when, by announcements, by looks, and by the log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import redis
from redis.asyncio import Redis

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.commit_announcements import CommitAnnouncements
from infrastructure.readmodels.commit_listener import CommitListener
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.log_coverage import Coverage
from infrastructure.readmodels.partition_watch import PartitionWatch
from infrastructure.readmodels.servers import OneServer
from tests.support.polling import poll_until_async

PARTITION: Final = ("tallies", 1, 0)
SOON: Final = 20.0


class Watched:
    """A partition at a checkpoint, or that can't be looked at; what the log says of it; and how often they were asked.

    Announcements go through Redis.
    """

    def __init__(self, listener: CommitListener, announce: Callable[[int], None]) -> None:
        self.listener = listener
        self.announce = announce
        self.checkpoint: int | None = None
        self.coverage: Coverage | None = None
        self.looks = self.questions = 0
        self.watch = PartitionWatch(PARTITION, listener, self._look, self._ask)

    async def _look(self) -> Checkpoint | None:
        self.looks += 1
        if self.checkpoint is None:
            await asyncio.Event().wait()
        return Checkpoint("store", self.checkpoint)

    async def _ask(self, checkpoint: int | None) -> Coverage | None:
        self.questions += 1
        return self.coverage

    def enter(self, position: int, *, since: int | None = None) -> "asyncio.Future[bool]":
        return self.watch.enter(position, None, self.listener.number if since is None else since)[1]


Story = Callable[[Watched], Awaitable[None]]


def tell(redis_uri: str, connection: redis.Redis, keys: PartitionKeys, story: Story) -> None:
    """Once something was heard of the partition."""

    async def told() -> None:
        async with watched(redis_uri, connection, keys) as partition:
            await story(partition)

    asyncio.run(told())


@asynccontextmanager
async def watched(uri: str, connection: redis.Redis, keys: PartitionKeys) -> AsyncIterator[Watched]:
    def announce(position: int) -> None:
        assert CommitAnnouncements().begin(connection, keys, position)

    client: Redis = Redis.from_url(uri)
    listener = CommitListener(OneServer(client), keys.namespace)
    listening = asyncio.create_task(listener.run())

    async def heard() -> bool:
        announce(10)
        return listener.heard(PARTITION) is not None

    await poll_until_async(heard, SOON, what="an announcement")
    partition = Watched(listener, announce)
    try:
        yield partition
    finally:
        partition.watch.close()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await client.aclose()


def test_an_announcement_tells_those_who_wait_for_no_more(
    redis_uri: str, connection: redis.Redis, keys: PartitionKeys
) -> None:
    """Nobody could look."""

    async def story(partition: Watched) -> None:
        near, exact, far = (partition.enter(position) for position in (15, 20, 21))
        partition.announce(20)
        assert [await asyncio.wait_for(each, SOON) for each in (near, exact)] == [True, True]
        assert not far.done()

    tell(redis_uri, connection, keys, story)


def test_what_was_announced_while_one_read_is_told_at_once(
    redis_uri: str, connection: redis.Redis, keys: PartitionKeys
) -> None:
    async def story(partition: Watched) -> None:
        before = partition.listener.number
        partition.announce(20)

        async def heard() -> bool:
            return partition.listener.number > before

        await poll_until_async(heard, SOON, what="the announcement")
        assert partition.enter(20, since=before).done()
        assert not partition.enter(21, since=before).done()
        assert not partition.enter(20).done()

    tell(redis_uri, connection, keys, story)


def test_one_that_moves_without_a_word_is_looked_at_as_if_nothing_had_been_heard(
    redis_uri: str, connection: redis.Redis, keys: PartitionKeys
) -> None:
    """As where a worker of the last release has taken over; until something is heard again."""

    async def story(partition: Watched) -> None:
        partition.checkpoint = 30
        passed, far = partition.enter(30), partition.enter(40)
        assert await asyncio.wait_for(passed, SOON)

        async def is_heard(expected: bool) -> bool:
            return (partition.listener.heard(PARTITION) is not None) is expected

        await poll_until_async(lambda: is_heard(False), SOON, what="the doubt")
        assert not far.done()
        partition.announce(40)
        assert await asyncio.wait_for(far, SOON)
        assert await is_heard(True)

    tell(redis_uri, connection, keys, story)


def test_the_log_tells_all_up_to_where_nothing_is_missing_and_those_beyond_its_end(
    redis_uri: str, connection: redis.Redis, keys: PartitionKeys
) -> None:
    async def story(partition: Watched) -> None:
        partition.coverage = Coverage(end=60, until=50)
        quiet, missing, beyond = [[partition.enter(each) for _ in range(100)] for each in (50, 55, 61)]
        told: Any = await asyncio.wait_for(asyncio.gather(*quiet, *beyond), SOON)
        assert told == [True] * 100 + [False] * 100
        assert not any(each.done() for each in missing)
        assert max(partition.questions, partition.looks) < 10

    tell(redis_uri, connection, keys, story)
