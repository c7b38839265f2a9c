"""What the checks of a deployment may say, and which of it is the worst."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

State: TypeAlias = Literal["ok", "warn", "fail", "skipped"]
CHECKS: Final[Mapping[str, str]] = {
    "eventstore": "The event store can be read and takes appends.",
    "version": "The event store says a version that this release is tested with.",
    "durable": "The event store keeps its log on a disk.",
    "users": "The event store refuses a login with a password that every new one has.",
    "acls": "Not every user of the event store may read and write every stream.",
    "redis": "Redis can be read, takes writes, evicts no rows and persists them.",
    "projections": "Every read model is there, is folded by a worker and within its lag.",
    "checkpoints": "No checkpoint is ahead of the log.",
    "poison": "No stream of a read model is blocked.",
    "sagas": "Every saga has a worker and goes on.",
    "saga-versions": "This release decides as the open instances' histories show.",
    "parked": "No message is parked.",
    "schema": "This release can read every stored event.",
    "snapshots": "Every stream that should have a usable snapshot has one.",
    "clocks": "The clocks of the event store and Redis are not far from this machine's.",
    "keys": "Keys to verify tokens are there, and none is a development key.",
    "certificates": "No server's certificate, nor the API's own, ends within 30 days.",
    "disk": "The disks of the embedded servers have room.",
    "descriptors": "This process may open as many files as the API needs.",
}
"""Each check by its name, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report. `advice` is what to do, empty where nothing is. `skipped` was not looked at."""

    check: str
    state: State
    detail: str = ""
    advice: str = ""


def ok(check: str, detail: str = "") -> Finding:
    """What is as it should be."""
    return Finding(check, "ok", detail)


def warn(check: str, detail: str, advice: str) -> Finding:
    """What serves, and should be looked at."""
    return Finding(check, "warn", detail, advice)


def fail(check: str, detail: str, advice: str) -> Finding:
    """What must not stay as it is."""
    return Finding(check, "fail", detail, advice)


def skipped(check: str, detail: str) -> Finding:
    """What could not be looked at, because of what another line says."""
    return Finding(check, "skipped", detail)


def worst_of(findings: Sequence[Finding]) -> State:
    """`skipped` counts as nothing: the line that it follows from has failed."""
    states = {finding.state for finding in findings}
    return "fail" if "fail" in states else "warn" if "warn" in states else "ok"
