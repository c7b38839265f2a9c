"""Puts on record who looks back and who operates, and whom that was refused, before anything is answered."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request

from infrastructure.access.access_entry import Asked, entry_of
from infrastructure.access.access_log import BATCH, AccessLog, AccessLogFull
from infrastructure.access.caller import ANONYMOUS
from infrastructure.commands.circuit import Circuit
from infrastructure.eventstore.errors import StoreUnavailable
from service.access.action import Action
from service.access.recorded import RECORDED
from service.history.sources import stream_called
from service.http.middleware import metrics
from service.http.middleware.admission import admit
from service.http.middleware.callers import caller_of
from service.http.middleware.rate_limits import address_of, require_rate
from service.http.middleware.refusal_counts import RefusalCounts, Refused
from service.http.problems import Problem

_LOOK_SECONDS: Final = 1.0
_LAST_SECONDS: Final = 2.0
_UNAUTHENTICATED: Final = "unauthenticated"
_logger: Final = structlog.get_logger(__name__)


async def admit_on_record(request: Request, action: Action) -> None:
    """As `admit`, with an entry in the access log of what it lets in and of what it refuses, where that is kept.

    Raises Problem `store-unavailable` as well: what is not on record is not answered. Raises `rate-limited` before
    anything is put on record: an entry is an append. Many refusals of one address without a valid token are counted.
    """
    try:
        admit(request, action)
    except Problem as refusal:
        require_rate(request)
        if not _is_counted(request, action):
            await record(request, action, refusal.rule)
        raise
    require_rate(request)
    await record(request, action)


async def record(request: Request, action: Action, refused_by: str | None = None) -> None:
    """Puts the request on record, where its action is kept; `refused_by` is the rule. Raises Problem."""
    if action not in RECORDED:
        return
    caller, counted = caller_of(request), metrics.of(request)
    asked = Asked(action.value, _resource(request), "http", request.state.correlation_id)
    connections = request.app.state.connections
    circuit: Circuit = connections.circuit
    try:
        circuit.require_closed()
        log: AccessLog = connections.access_log
        await log.record(caller.tenant, entry_of(caller, asked, datetime.now(UTC), refused_by))
        counted.access_entries.labels("stored").inc()
    except (StoreUnavailable, AccessLogFull) as error:
        counted.access_entries.labels("refused").inc()
        if isinstance(error, AccessLogFull):
            counted.access_log_full.inc()
        elif error.is_away:
            circuit.suspect()
        raise Problem("store-unavailable", "The event store can't be used at present.") from error


async def follow_refusals(app: FastAPI) -> None:
    """Puts on record, once a window has ended, how many refusals were counted in it; never ends."""
    counts: RefusalCounts = app.state.refusal_counts
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        await record_refusals(app, counts.due())


async def record_refusals(app: FastAPI, counted: Sequence[tuple[Refused, int]]) -> None:
    """Puts on record how many refusals were counted. What can't be now is counted in the next window.

    No more are under way at once than one append takes, so that there is room in the queue for others' entries.
    """
    left = list(counted)
    try:
        while left:
            batch, left = left[:BATCH], left[BATCH:]
            await asyncio.gather(*(_record_refused(app, *each) for each in batch))
    finally:
        for refused, times in left:
            app.state.refusal_counts.add(refused, times)


async def record_last_refusals(app: FastAPI) -> None:
    """The same of all that was counted, at a stop, for two seconds at most."""
    counts: RefusalCounts = app.state.refusal_counts
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_SECONDS):
            await record_refusals(app, counts.all_counted())
    if left := sum(times for _, times in counts.all_counted()):
        _logger.warning("refusals_not_recorded", refusals=left)


async def _record_refused(app: FastAPI, refused: Refused, times: int) -> None:
    asked = Asked(refused.action, f"* from {refused.address}", "http", uuid4())
    entry = entry_of(ANONYMOUS, asked, datetime.now(UTC), _UNAUTHENTICATED, times)
    connections = app.state.connections
    try:
        connections.circuit.require_closed()
        await connections.access_log.record(ANONYMOUS.tenant, entry)
    except (StoreUnavailable, AccessLogFull, asyncio.CancelledError) as error:
        app.state.refusal_counts.add(refused, times)
        if isinstance(error, StoreUnavailable) and error.is_away:
            connections.circuit.suspect()
        if isinstance(error, asyncio.CancelledError):
            raise
    else:
        app.state.metrics.access_entries.labels("stored").inc()


def _is_counted(request: Request, action: Action) -> bool:
    """Whether a refusal has no entry of its own, since too many of its address have one."""
    if action not in RECORDED or caller_of(request) is not ANONYMOUS:
        return False
    counts: RefusalCounts = request.app.state.refusal_counts
    if counts.has_entry(Refused(address_of(request), action.value)):
        return False
    metrics.of(request).refusals_counted.inc()
    return True


def _resource(request: Request) -> str:
    """What is asked for, by its name in the store where it has one."""
    match request.path_params:
        case {"stream": str(name)}:
            return stream_called(name).lower()
        case {"correlation_id": str(correlation_id)}:
            return f"trace {correlation_id.lower()}"
        case {"saga_type": str(saga), "instance_id": str(instance)} | {
            "saga_type": str(saga),
            "saga_id": str(instance),
        }:
            return f"{saga}-{instance.lower()}"
        case others:
            return _written(request.scope["route"].path, others)


def _written(path: str, parameters: Mapping[str, object]) -> str:
    return " ".join((path.partition("/{")[0].strip("/"), *map(str, parameters.values())))
