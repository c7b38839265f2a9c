"""What the log holds and who keeps it: version, durability, events, snapshots, and what open sagas need."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.schema_check import Check
from infrastructure.eventstore.schema_check import Finding as Unreadable
from infrastructure.eventstore.server_version import server_version
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.snapshots.store import SnapshotStore
from service.cli.connections import connected, streams_of
from service.cli.doctor.findings import Finding, fail, ok, warn
from service.cli.sagas.check import Report, check_store
from service.cli.schema.report import EVENTS_BY_CATEGORY
from service.cli.snapshots.report import due_versions
from service.cli.snapshots.survey import Summary, survey
from service.consumers import EVENTS
from service.daemon_thread import begun_in_thread

_SECONDS: Final = 10.0
_PAGE: Final = 500
_TESTED: Final = ("23.10.", "24.10.")


async def version(uri: str) -> Finding:
    """By what the store says of itself; one that does not tell is warned of."""
    async with connected(uri) as client:
        told = await server_version(client)
    if told is None:
        return warn("version", "the event store does not tell its version", "use EventStoreDB 23.10 or 24.10")
    if not told.startswith(_TESTED):
        return warn("version", f"{told} is not among those that are tested", "use EventStoreDB 23.10 or 24.10")
    return ok("version", told)


def durable(folders: Sequence[Path]) -> Finding:
    """`folders` are those of embedded servers; a store that is named does not tell where it keeps its log."""
    folder = next((folder for folder in folders if folder.name == "eventstore"), None)
    if folder is not None:
        return ok("durable", str(folder))
    advice = "see that it does not run with --memory, or EVENTSTORE_MEM_DB"
    return warn("durable", "not known: the event store does not tell whether it keeps its log on a disk", advice)


async def schema(uri: str) -> Finding:
    """Reads the log from its beginning for some seconds at most."""
    check, bad, is_all = await _read(uri)
    advice = "`foldstream schema check` reads all of it"
    if bad:
        found = f"{len(bad)} of {check.records:,} events can't be read, first event {bad[0].version} of {bad[0].stream}"
        return fail("schema", f"{found}: {bad[0].reason}", advice)
    if not is_all:
        return warn("schema", f"{check.records:,} events can be read; there was no time for the others", advice)
    return ok("schema", f"{check.records:,} events")


async def _read(uri: str) -> tuple[Check, list[Unreadable], bool]:
    check, bad = Check(EventCodec(EVENTS), EVENTS_BY_CATEGORY), list[Unreadable]()
    until, position, is_all = time.monotonic() + _SECONDS, None, False
    pattern = category_pattern(EVENTS_BY_CATEGORY)
    async with connected(uri) as client:
        log = Log(client)
        while not is_all and (left := until - time.monotonic()) > 0:
            records, is_all = await log.following(pattern, position, _PAGE, left)
            bad += [found for record in records if (found := check.look_at(record)) is not None]
            position = records[-1].position if records else position
    return check, bad, is_all


async def snapshots(uri: str) -> Finding:
    """Counts the loads that should begin at a snapshot and can't."""
    try:
        async with asyncio.timeout(_SECONDS):
            summary = await _surveyed(uri, await begun_in_thread(lambda: due_versions(uri), "look at snapshots"))
    except TimeoutError:
        return warn("snapshots", f"not all were looked at within {_SECONDS:g} s", "`foldstream snapshots list`")
    if summary.misses:
        states = ", ".join(f"{number} {state}" for state, number in sorted(summary.states.items()))
        advice = "`foldstream snapshots retake --missing`"
        return warn("snapshots", f"{summary.misses} streams have no usable snapshot ({states})", advice)
    return ok("snapshots", f"{summary.states['usable']} are usable")


async def _surveyed(uri: str, versions: Mapping[str, int]) -> Summary:
    summary = Summary()
    async with connected(uri) as client, streams_of(client) as streams:
        async for status in survey(SnapshotStore(streams), versions):
            summary.add(status)
    return summary


async def saga_versions(uri: str) -> Finding:
    """As `foldstream sagas check`, for some seconds at most."""
    report, advice = (
        Report(limit=1),
        "`foldstream sagas check` shows all; keep the release before until they have ended",
    )
    is_all = True
    try:
        async with asyncio.timeout(_SECONDS):
            await check_store(uri, report)
    except TimeoutError:
        is_all = False
    if report.findings:
        first = report.findings[0]
        return fail(
            "saga-versions", f"{report.differences} differences, first of {first.instance}: {first.what}", advice
        )
    if not is_all:
        return warn("saga-versions", f"not all were compared within {_SECONDS:g} s", "`foldstream sagas check`")
    return ok("saga-versions", f"{sum(each.open for each in report.compared.values())} open instances")
