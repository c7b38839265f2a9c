"""Tells whether Redis is set to keep what is written: it must evict no rows, and outlive its own restart."""

from collections.abc import Mapping
from typing import Any, Final

import redis
import structlog
from redis.asyncio import Redis

from infrastructure.readmodels.connection import connect_to_all
from infrastructure.readmodels.texts import text_of

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


def warn_if_misconfigured(uri: str) -> None:
    """Logs what Redis, or a server of a cluster, is not set to, where it can be asked now; readiness asks again."""
    try:
        with connect_to_all(uri) as connections:
            faults = {fault for each in connections if (fault := _told(each)) is not None}
    except redis.RedisError:
        return
    for fault in sorted(faults):
        _logger.warning("redis_misconfigured", reason=fault)


def _told(connection: redis.Redis) -> str | None:
    try:
        return _fault(connection.config_get(*_ASKED))
    except redis.ResponseError:
        return _fault(_from_info(connection.info()))


def _from_info(info: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"maxmemory-policy": info.get("maxmemory_policy", "noeviction")}


def _fault(settings: Mapping[Any, Any]) -> str | None:
    """Only keys that expire may be evicted: those are reports and leases of workers, and views of the past."""
    values = {text_of(name): text_of(value) for name, value in settings.items()}
    policy = values.get("maxmemory-policy", "noeviction")
    if policy.startswith("allkeys"):
        return f"maxmemory-policy is {policy}: rows may be evicted one by one; set it to noeviction"
    if values.get("appendonly") == "no" and not values.get("save"):
        return "nothing is persisted: a restart loses every read model; set appendonly to yes"
    return None
