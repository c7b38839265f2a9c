"""Puts on record who looks back and who operates, and whom that was refused, before anything is answered."""

from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import Request

from infrastructure.access.access_entry import Asked, entry_of
from infrastructure.access.access_log import AccessLog
from infrastructure.commands.circuit import Circuit
from infrastructure.eventstore.errors import StoreUnavailable
from service.access.action import Action
from service.access.recorded import RECORDED
from service.history.sources import stream_called
from service.http.middleware import metrics
from service.http.middleware.admission import admit
from service.http.middleware.callers import caller_of
from service.http.middleware.rate_limits import require_rate
from service.http.problems import Problem


async def admit_on_record(request: Request, action: Action) -> None:
    """As `admit`, with an entry in the access log of what it lets in and of what it refuses, where that is kept.

    Raises Problem `store-unavailable` as well: what is not on record is not answered. Raises `rate-limited` before
    anything is put on record: an entry is an append.
    """
    try:
        admit(request, action)
    except Problem as refusal:
        require_rate(request)
        await record(request, action, refusal.rule)
        raise
    require_rate(request)
    await record(request, action)


async def record(request: Request, action: Action, refused_by: str | None = None) -> None:
    """Puts the request on record, where its action is kept; `refused_by` is the rule. Raises Problem."""
    if action not in RECORDED:
        return
    caller, counted = caller_of(request), metrics.of(request).access_entries
    asked = Asked(action.value, _resource(request), "http", request.state.correlation_id)
    connections = request.app.state.connections
    circuit: Circuit = connections.circuit
    try:
        circuit.require_closed()
        log: AccessLog = connections.access_log
        await log.record(caller.tenant, entry_of(caller, asked, datetime.now(UTC), refused_by))
        counted.labels("stored").inc()
    except StoreUnavailable as error:
        if error.is_away:
            circuit.suspect()
        counted.labels("refused").inc()
        raise Problem("store-unavailable", "The event store can't be used at present.") from error


def _resource(request: Request) -> str:
    """What is asked for, by its name in the store where it has one."""
    match request.path_params:
        case {"stream": str(name)}:
            return stream_called(name).lower()
        case {"correlation_id": str(correlation_id)}:
            return f"trace {correlation_id.lower()}"
        case {"saga_type": str(saga), "instance_id": str(instance)}:
            return f"{saga}-{instance.lower()}"
        case others:
            return _written(request.scope["route"].path, others)


def _written(path: str, parameters: Mapping[str, object]) -> str:
    return " ".join((path.partition("/{")[0].strip("/"), *map(str, parameters.values())))
