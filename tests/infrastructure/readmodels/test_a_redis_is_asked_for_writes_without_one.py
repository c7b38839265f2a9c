"""Whether Redis takes writes is found out by a write that has no effect."""

import asyncio
from uuid import uuid4

import redis
from redis.asyncio import Redis

from infrastructure.readmodels.redis_writes import Refusal, require_readable, write_refusal
from tests.support.redis import RedisProcess


def asked(uri: str, namespace: str) -> Refusal | None:
    async def ask() -> Refusal | None:
        async with Redis.from_url(uri) as connection:
            await require_readable(connection, namespace)
            return await write_refusal(connection, namespace)

    return asyncio.run(ask())


def test_one_that_takes_writes_has_no_key_more_than_before(redis_uri: str) -> None:
    namespace = f"probed-{uuid4()}"
    assert asked(redis_uri, namespace) is None
    with redis.Redis.from_url(redis_uri) as connection:
        assert connection.keys(f"*{namespace}*") == []


def test_one_whose_memory_is_full_is_readable_and_says_why_it_takes_none() -> None:
    own = RedisProcess().start()
    try:
        with redis.Redis.from_url(own.uri) as connection:
            connection.config_set("maxmemory", "1kb")
        full = Refusal("command not allowed when used memory > 'maxmemory'.", is_by_setting=False)
        assert asked(own.uri, "probed") == full
    finally:
        own.close()
