"""Tells whether Redis is set to keep what is written: it must evict no rows, and outlive its own restart."""

from collections.abc import Mapping
from typing import Any, Final

import redis
import structlog
from redis.asyncio import Redis

_ASKED: Final = ("maxmemory-policy", "appendonly", "save")
_logger: Final = structlog.get_logger()


async def misconfiguration(connection: Redis) -> str | None:
    """What Redis is not set to, None where all is well. Raises RedisError.

    Where CONFIG is refused, as hosted servers do, INFO tells the policy; of snapshots it says too little to judge.
    """
    try:
        return _fault(await connection.config_get(*_ASKED))
    except redis.ResponseError:
        return _fault(_from_info(await connection.info()))


def warn_if_misconfigured(connection: redis.Redis) -> None:
    """Logs what Redis is not set to, where it can be asked now; readiness asks again and again."""
    try:
        fault = _told(connection)
    except redis.RedisError:
        return
    if fault is not None:
        _logger.warning("redis_misconfigured", reason=fault)


def _told(connection: redis.Redis) -> str | None:
    try:
        return _fault(connection.config_get(*_ASKED))
    except redis.ResponseError:
        return _fault(_from_info(connection.info()))


def _from_info(info: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"maxmemory-policy": info.get("maxmemory_policy", "noeviction")}


def _fault(settings: Mapping[Any, Any]) -> str | None:
    """Only keys that expire may be evicted: those are reports of workers."""
    values = {_text(name): _text(value) for name, value in settings.items()}
    policy = values.get("maxmemory-policy", "noeviction")
    if policy.startswith("allkeys"):
        return f"maxmemory-policy is {policy}: rows may be evicted one by one; set it to noeviction"
    if values.get("appendonly") == "no" and not values.get("save"):
        return "nothing is persisted: a restart loses every read model; set appendonly to yes"
    return None


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
