"""Looks at all that a deployment needs at once, and prints a line for each of it."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError

from infrastructure.embedded.disk import MIB
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.terminal import print_json, print_line
from service.cli.doctor import machine, security, store
from service.cli.doctor.findings import CHECKS, Finding, fail, ok, skipped, worst_of
from service.cli.doctor.keys import keys
from service.cli.doctor.readiness import findings_of
from service.consumers import PROJECTIONS
from service.health.disk_check import DiskCheck
from service.http.connections import Connections
from service.http.readiness import Readiness
from service.lag_bounds import lag_bounds
from service.settings import Settings
from service.tables import print_table

_SECONDS: Final = 20.0
_FIND_SECONDS: Final = 3.0
_FOUND_WRONG: Final = 3


def print_findings(settings: Settings, folders: Sequence[Path], *, as_json: bool) -> int:
    """Prints them; 3 where one has failed. Raises SettingsError."""
    logging.getLogger().setLevel(logging.CRITICAL)  # what is found is told by the lines
    found = asyncio.run(look(settings, folders))
    worst = worst_of(found)
    if as_json:
        print_json({"worst": worst, "findings": [asdict(finding) for finding in found]})
    else:
        print_table(("check", "state", "found", "what to do"), [tuple(asdict(each).values()) for each in found])
        numbers = ", ".join(f"{sum(each.state == state for each in found)} {state}" for state in ("warn", "fail"))
        print_line(f"{len(found)} lines: {numbers}.")
    return _FOUND_WRONG if worst == "fail" else 0


async def look(settings: Settings, folders: Sequence[Path]) -> list[Finding]:
    """What is found, in the order of `CHECKS`. Of a server that is away, one line says so."""
    found = await _with_connections(settings, folders)
    away = {each.check for each in found if each.check in {"eventstore", "redis"} and each.state == "fail"}
    found += [store.durable(folders), machine.descriptors(settings), *await security.certificates(settings)]
    found.append(await _bounded("keys", keys(settings)))
    found += await asyncio.gather(*_of_store(settings, is_away="eventstore" in away))
    if "redis" not in away:
        found.append(await _bounded("clocks", machine.redis_clock(settings)))
    order = list(CHECKS)
    return sorted(found, key=lambda finding: order.index(finding.check))


def _of_store(settings: Settings, *, is_away: bool) -> list[Awaitable[Finding]]:
    uri = settings.eventstore
    checks = {
        "version": store.version,
        "users": security.users,
        "acls": security.acls,
        "schema": store.schema,
        "snapshots": store.snapshots,
        "saga-versions": store.saga_versions,
        "clocks": machine.store_clock,
    }
    if is_away:
        return [_skipped(name) for name in checks]
    return [_bounded(name, check(uri)) for name, check in checks.items()]


async def _skipped(name: str) -> Finding:
    return skipped(name, "the event store is away")


async def _bounded(name: str, check: Awaitable[Finding]) -> Finding:
    """What the check finds; what keeps it from that is a failure."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await check
    except TimeoutError:
        return fail(name, f"no answer within {_SECONDS:g} s", "look at how busy the servers are, and try again")
    except (EventStoreError, RedisError, OSError) as error:
        return fail(name, str(error), "try again once the server answers")


async def _with_connections(settings: Settings, folders: Sequence[Path]) -> list[Finding]:
    connections = Connections(settings)
    disk = DiskCheck(folders, settings.disk_free_mib * MIB)
    readiness = Readiness(connections, disk, lag_bounds(settings), settings.saga_stuck_seconds)
    try:
        await asyncio.wait({finding := asyncio.create_task(connections.find_store())}, timeout=_FIND_SECONDS)
        finding.cancel()
        found = findings_of(await readiness.report(), readiness.findings)
        return [*found, await _checkpoints(connections, found)]
    finally:
        await connections.close()


async def _checkpoints(connections: Connections, found: Sequence[Finding]) -> Finding:
    """A store that was put back from an older copy has less than read models were folded from."""
    if any(each.check == "projections" and each.state == "skipped" for each in found):
        return skipped("checkpoints", "a server is away")
    ahead = []
    for projection in PROJECTIONS:
        try:
            position = (await connections.read_models.health(projection)).position
        except ReadModelError as error:
            return fail("checkpoints", str(error), "`foldstream projections list`")
        if position > connections.end:
            ahead.append(f"{projection.name} is at {position}")
    if not ahead:
        return ok("checkpoints")
    said = f"the log ends at {connections.end}; {', '.join(ahead)}"
    return fail("checkpoints", said, "put the right event store back, or `foldstream rebuild` these read models")
