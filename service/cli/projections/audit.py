"""`foldstream audit`: a projection folded again and compared with what Redis has, and mended where that was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError

from infrastructure.audits.audit import Audit, audit_of
from infrastructure.audits.findings import Finding, Findings
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.uri import address_in
from infrastructure.terminal import print_json_list, print_line
from projections.projection import Projection
from service.cli.operator_act import Act
from service.cli.plurals import counted
from service.cli.progress import ProgressLine
from service.cli.verbs import consented
from service.errors import NotAudited, RedisUnavailable
from service.settings import Settings
from service.tables import print_long_table
from service.workers.projections import deployment_of

FOUND: Final = 3
_COLUMNS: Final = ("partition", "found", "what", "stream", "field or index", "member", "in redis", "from the log")
_NONE: Final = "—"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many streams are looked at, None: all; and whether what is found is mended, `yes`: without asking."""

    sample: int | None
    repair: bool = False
    yes: bool = False
    as_json: bool = False


def run_audit(settings: Settings, projection: Projection[Any], plan: Plan, act: Act) -> int:
    """Prints what differs; 3 where something does. Raises NotAudited, StoreUnavailable, RedisUnavailable."""
    with Findings() as findings, _auditing(settings, projection) as audit:
        streams = _look(projection, audit, findings, plan.sample)
        repaired = plan.repair and _repair(projection, audit, findings, plan, act)
        _print(projection, audit, findings, streams, plan.as_json)
        if not plan.as_json:
            print_line(_summary(findings, streams, repaired=repaired))
        return FOUND if findings.count() else 0


@contextmanager
def _auditing(settings: Settings, projection: Projection[Any]) -> Iterator[Audit[Any]]:
    try:
        with audit_of(projection, deployment_of(settings)) as audit:
            yield audit
    except RedisError as error:
        reason = str(error) or type(error).__name__
        raise RedisUnavailable(address_in(settings.redis), reason) from error
    except ReadModelError as error:
        raise NotAudited(projection.name, error.detail) from error


def _look(projection: Projection[Any], audit: Audit[Any], findings: Findings, sample: int | None) -> int:
    """Looks, and says how far it is; how many streams it has looked at."""
    streams = 0

    def looked(more: int) -> None:
        nonlocal streams
        streams += more
        progress.show(f"{counted(streams, 'stream')}, {counted(findings.count(), 'difference')}")

    with ProgressLine(projection.name) as progress:
        audit.run(findings, sample, looked)
    return streams


def _repair(projection: Projection[Any], audit: Audit[Any], findings: Findings, plan: Plan, act: Act) -> bool:
    """Whether it was wanted, and is done."""
    if not (found := findings.count()):
        return False
    if not consented(f"Repair {counted(found, 'difference')} of {projection.name}?", yes=plan.yes):
        return False
    audit.repair(findings)
    act.log("read_model_repaired", projection=projection.name, found=found, repaired=findings.repaired())
    return True


def _print(projection: Projection[Any], audit: Audit[Any], findings: Findings, streams: int, as_json: bool) -> None:
    if as_json:
        told = {"projection": projection.name, "version": projection.version, "generation": audit.generation.number}
        counts = {"found": findings.count(), "unverified": findings.unverified(), "repaired": findings.repaired()}
        print_json_list(map(_answer, findings), "findings", **told, streams=streams, **counts)
    elif findings.count() or findings.unverified():
        print_long_table((*_COLUMNS, "outcome"), map(_row, findings))


def _answer(finding: Finding) -> dict[str, Any]:
    name, of_row = finding.name or None, finding.what == "field"
    return {
        "partition": finding.partition,
        "position": finding.position,
        "kind": finding.kind,
        "what": finding.what,
        "stream": finding.stream or None,
        "field": name if of_row else None,
        "index": None if of_row else name,
        "member": finding.member or None,
        "stored": finding.stored,
        "folded": finding.folded,
        "outcome": finding.outcome,
    }


def _row(finding: Finding) -> tuple[str, ...]:
    told = (finding.stream, finding.name, finding.member, finding.stored, finding.folded, finding.outcome)
    return str(finding.partition), finding.kind, finding.what, *(each or _NONE for each in told)


def _summary(findings: Findings, streams: int, *, repaired: bool) -> str:
    said = f"{counted(streams, 'stream')} folded again: {counted(findings.count(), 'difference')}"
    if repaired:
        said += f", {findings.repaired():,} repaired"
    if unverified := findings.unverified():
        said += f"; {counted(unverified, 'stream')} could not be verified"
    return f"{said}."
