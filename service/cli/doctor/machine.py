"""Clocks, and what this machine grants a process."""

import resource
from datetime import UTC, datetime
from typing import Final

from infrastructure.eventstore.log import Log
from infrastructure.readmodels.servers import servers_at
from service.cli.connections import connected
from service.cli.doctor.findings import Finding, fail, ok, warn
from service.settings import Settings

_SECONDS: Final = 5.0
_WARN_SECONDS: Final = 1.0
_FAIL_SECONDS: Final = 10.0
_SPARE: Final = 256  # files, connections to servers, and what libraries open
_ADVICE: Final = "have all machines keep the time by NTP"


async def redis_clock(settings: Settings) -> Finding:
    """Asks the first server of Redis for its time. Raises RedisError, OSError."""
    servers = servers_at(settings.redis, _SECONDS)
    try:
        client = (await servers.primaries())[0].client
        before = datetime.now(UTC)
        seconds, microseconds = await client.time()
        after = datetime.now(UTC)
    finally:
        await servers.aclose()
    told = seconds + microseconds / 1e6
    apart = max(before.timestamp() - told, told - after.timestamp(), 0.0)
    return judged("Redis", apart)


async def store_clock(uri: str) -> Finding:
    """By the newest record, whose time can't be later than now: one that is ahead is seen, one that is behind is not.

    Raises StoreUnavailable.
    """
    async with connected(uri) as client:
        newest = await Log(client).last(_SECONDS)
    at = None if newest is None else newest.at
    ahead = 0.0 if at is None else (at - datetime.now(UTC)).total_seconds()
    return judged("the newest record of the event store", max(0.0, ahead))


def judged(what: str, apart: float) -> Finding:
    """What so many seconds between its clock and ours are worth."""
    if apart > _WARN_SECONDS:
        said = f"{what} is {apart:.1f} s from this machine's clock"
        return (fail if apart > _FAIL_SECONDS else warn)("clocks", said, _ADVICE)
    return ok("clocks", f"{what}: within {_WARN_SECONDS:g} s")


def descriptors(settings: Settings) -> Finding:
    """Compares the limit of this process, which those that it starts inherit, with what the API may need."""
    limit, needed = resource.getrlimit(resource.RLIMIT_NOFILE)[0], settings.connections + _SPARE
    if limit == resource.RLIM_INFINITY or limit >= needed:
        return ok("descriptors", f"{limit} may be open")
    said = f"{limit} files may be open, and FOLDSTREAM_CONNECTIONS={settings.connections} needs {needed}"
    return warn("descriptors", said, f"`ulimit -n {needed}` where the API is started, or fewer connections")
