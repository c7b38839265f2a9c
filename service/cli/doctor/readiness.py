"""The lines that the readiness of the API tells as well: they are judged as it judges them."""

from collections.abc import Iterable, Mapping
from typing import Final

from infrastructure.readmodels.block_readers import BlockedStream
from service.cli.doctor.findings import Finding, fail, ok, skipped, warn
from service.consumers import PROJECTIONS, SAGAS
from service.health.checks import Check, Report
from service.http.readiness_metrics import Findings

_PASSING: Final = frozenset({"behind", "slow", "paused"})
_ADVICE: Final = {
    "eventstore": "start it, or correct FOLDSTREAM_EVENTSTORE_URI",
    "redis": "start it, correct FOLDSTREAM_REDIS_URI, or set it as the line says",
    "projections": "see that `foldstream projections` runs; `foldstream lag` tells more",
    "sagas": "see that `foldstream sagas` runs; `foldstream sagas list` tells more",
    "parked": "`foldstream parked show`, then `foldstream parked replay`",
    "disk": "free some space",
    "poison": "`foldstream poison show`, then retry or skip",
}


def findings_of(report: Report, found: Findings) -> list[Finding]:
    """The lines of servers, read models, sagas, parked messages and disks."""
    checks = report.checks
    servers = {name: _line(name, checks[name]) for name in ("eventstore", "redis")}
    store_is_away, redis_is_away = (checks[name].state == "away" for name in servers)
    sagas = [(saga.category, checks[saga.category]) for saga in SAGAS]
    folded = [(each.name, checks[each.name]) for each in PROJECTIONS]
    lines = [*servers.values(), _disk(checks)]
    if store_is_away:
        lines += [skipped(name, "the event store is away") for name in ("sagas", "parked")]
    else:
        lines += [*_lines("sagas", sagas), _line("parked", checks["parked"])]
    if store_is_away or redis_is_away:
        which = "the event store" if store_is_away else "Redis"
        return [*lines, *(skipped(name, f"{which} is away") for name in ("projections", "poison"))]
    return [*lines, *_lines("projections", folded), _poison(found.blocked)]


def _disk(checks: Mapping[str, Check]) -> Finding:
    return _line("disk", checks["disk"]) if "disk" in checks else ok("disk", "no embedded server is used")


def _lines(name: str, checks: Iterable[tuple[str, Check]]) -> list[Finding]:
    """One for each that is not as it should be, else one for all."""
    told = [(each, check) for each, check in checks if not check.ok]
    found = [_line(name, check.model_copy(update={"detail": f"{each}: {check.detail}"})) for each, check in told]
    return found or [ok(name)]


def _line(name: str, check: Check) -> Finding:
    if check.ok:
        return ok(name)
    return (warn if check.state in _PASSING else fail)(name, check.detail or check.state, _ADVICE[name])


def _poison(blocked: Mapping[str, Iterable[BlockedStream]]) -> Finding:
    said = [f"{each.stream} of {name}" for name, streams in blocked.items() for each in streams]
    if not said:
        return ok("poison")
    return fail("poison", f"{len(said)} streams are blocked, first {said[0]}", _ADVICE["poison"])
