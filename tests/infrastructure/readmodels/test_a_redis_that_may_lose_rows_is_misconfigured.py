"""A Redis of its own, set in ways that lose what was written to it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
import structlog
from redis.asyncio import Redis

from infrastructure.readmodels.redis_policy import misconfiguration, warn_if_misconfigured
from tests.support.redis import RedisProcess

EVICTS = "maxmemory-policy is allkeys-lru: rows may be evicted one by one; set it to noeviction"
FORGETS = "nothing is persisted: a restart loses every read model; set appendonly to yes"


@pytest.fixture(scope="module")
def own() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


@contextmanager
def set_to(own: RedisProcess, **settings: str) -> Iterator[redis.Redis]:
    """That Redis with these settings, and as it was afterwards."""
    with redis.Redis.from_url(own.uri, decode_responses=True) as connection:
        names = [name.replace("_", "-") for name in settings]
        before: dict[str, str] = dict(connection.config_get(*names)) if names else {}
        for name, value in zip(names, settings.values(), strict=True):
            connection.config_set(name, value)
        try:
            yield connection
        finally:
            for name, value in before.items():
                connection.config_set(name, value)


def told(uri: str) -> str | None:
    async def asked() -> str | None:
        async with Redis.from_url(uri) as connection:
            return await misconfiguration(connection)

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, None),
        ({"maxmemory_policy": "allkeys-lru"}, EVICTS),
        ({"maxmemory_policy": "volatile-lru"}, None),
        ({"appendonly": "no"}, FORGETS),
        ({"appendonly": "no", "save": "3600 1"}, None),
    ],
)
def test_what_it_is_not_set_to_is_told(settings: dict[str, str], fault: str | None, own: RedisProcess) -> None:
    with set_to(own, **settings):
        assert told(own.uri) == fault


@pytest.mark.parametrize(("policy", "fault"), [("allkeys-lru", EVICTS), ("noeviction", None)])
def test_info_tells_the_policy_where_config_is_refused(policy: str, fault: str | None, own: RedisProcess) -> None:
    with set_to(own, maxmemory_policy=policy) as connection:
        connection.acl_setuser("guest", enabled=True, nopass=True, commands=["+@all", "-config"])
        separator = "&" if "?" in own.uri else "?"
        assert told(f"{own.uri}{separator}username=guest&password=x") == fault


def test_a_worker_logs_it_when_it_starts(own: RedisProcess) -> None:
    with set_to(own, maxmemory_policy="allkeys-lru"), structlog.testing.capture_logs() as captured:
        warn_if_misconfigured(own.uri)
    assert captured == [{"event": "redis_misconfigured", "log_level": "warning", "reason": EVICTS}]
