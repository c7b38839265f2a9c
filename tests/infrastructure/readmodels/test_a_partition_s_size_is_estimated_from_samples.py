"""What a partition holds in Redis: counted as far as that is cheap, else estimated from a part."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from redis.asyncio import Redis

from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.sizes import Sizes, sizes_of

ROWS, INDEXES, PER_INDEX = 120, 1_400, 3


@pytest.fixture
def filled(connection: redis.Redis, keys: PartitionKeys) -> PartitionKeys:
    """Rows, more indexes than are counted, all of one size, and as much again in sums."""
    with connection.pipeline(transaction=False) as pipeline:
        for number in range(ROWS):
            pipeline.hset(keys.row(f"row-{number}"), mapping={"owner": "ann", "total": number})
            pipeline.zadd(keys.ids, {f"row-{number}": 0})
        pipeline.hset(keys.sizes, KEPT, "1")
        for number in range(INDEXES):
            pipeline.zadd(keys.index(f"owner:{number}"), {f"entry-{each}": each for each in range(PER_INDEX)})
            pipeline.hset(keys.sizes, f"owner:{number}", str(PER_INDEX))
        pipeline.hset(keys.groups, mapping={KEPT: "1", "sum:totals": "4000", "ranked:owners": "4000"})
        pipeline.hset(keys.group("sum:totals"), mapping={f"owner-{number}": number for number in range(4_000)})
        pipeline.zadd(keys.group("ranked:owners"), {f"owner-{number}": -number for number in range(4_000)})
        pipeline.execute()
    return keys


@pytest.fixture
def untold(connection: redis.Redis) -> Iterator[str]:
    """A user to whom the server does not tell what keys take of its memory."""
    name = f"user-{uuid4().hex[:12]}"
    connection.acl_setuser(name, enabled=True, nopass=True, keys=["*"], commands=["+@all", "-memory|usage"])
    yield name
    connection.acl_deluser(name)


def sizes(uri: str, keys: PartitionKeys, user: str | None = None) -> Sizes:
    async def found() -> Sizes:
        async with Redis.from_url(uri, username=user, password=user) as connection:
            return await sizes_of(connection, keys)

    return asyncio.run(found())


def test_rows_and_entries_are_told_with_about_how_many_bytes(
    redis_uri: str, filled: PartitionKeys, connection: redis.Redis
) -> None:
    found = sizes(redis_uri, filled)
    assert (found.rows, found.indexes, found.entries, found.exact) == (ROWS, INDEXES, INDEXES * PER_INDEX, False)
    names = [name for name in connection.scan_iter(match="*", count=10_000) if filled.prefix.encode() in name]
    with connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.memory_usage(name)
        true = sum(pipeline.execute())
    assert found.bytes == pytest.approx(true, rel=0.1)


def test_few_indexes_are_counted_whole(redis_uri: str, keys: PartitionKeys, connection: redis.Redis) -> None:
    connection.hset(keys.sizes, mapping={KEPT: "1", "owner:ann": "2", "owner:bob": "5"})
    found = sizes(redis_uri, keys)
    assert (found.rows, found.indexes, found.entries, found.exact) == (0, 2, 7, True)


def test_where_nothing_is_there_nothing_is_told(redis_uri: str, keys: PartitionKeys) -> None:
    assert sizes(redis_uri, keys) == Sizes(rows=0, indexes=0, entries=0, exact=True, bytes=0)


def test_a_server_that_tells_no_bytes_tells_the_rest(redis_uri: str, filled: PartitionKeys, untold: str) -> None:
    found = sizes(redis_uri, filled, untold)
    assert (found.rows, found.indexes, found.bytes) == (ROWS, INDEXES, None)
