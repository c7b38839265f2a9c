"""How a worker process fares by itself: whether its loop goes round, what it misses, and what it works on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from infrastructure.outages import Outage, Outages
from infrastructure.readmodels.condition import condition_of_failure
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.status import Status
from service.health.checks import Check, Report, State, wrong

STANDSTILL_SECONDS: Final = 30.0
"""A loop that should go round each second is taken to stand still after so many."""
_WORST_FIRST: Final[tuple[State, ...]] = ("failing", "stopped", "away", "behind", "ok")


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """`work` tells what this process works on; it is `unable` while one of the `needed` checks is not ok."""

    outages: Outages
    needed: Collection[str]
    work: Callable[[], Mapping[str, Check]]

    @property
    def is_alive(self) -> bool:
        """Whether the process goes on, whatever became of its servers."""
        return self.outages.seconds_since_tick < STANDSTILL_SECONDS

    def report(self) -> Report:
        """As `/health/ready` of the API has it, for this process alone."""
        checks = {"eventstore": _server(self.outages.eventstore), "redis": _server(self.outages.redis), **self.work()}
        if not all(checks[name].ok for name in self.needed):
            return Report(status="unable", checks=checks)
        return Report(status="ok" if all(check.ok for check in checks.values()) else "degraded", checks=checks)


def of_leases(reports: Mapping[PartitionId, Status], *, joined: bool) -> dict[str, Check]:
    """What a process of projections works on: its leases, and each projection of which it has some."""
    by_projection: dict[str, list[Check]] = {}
    for (name, _, _), status in sorted(dict(reports).items()):
        by_projection.setdefault(name, []).append(_partition(status))
    leases = wrong("stopped", "it does not share in the work yet") if not joined else _leases(len(reports))
    worst = {name: min(each, key=lambda check: _WORST_FIRST.index(check.state)) for name, each in by_projection.items()}
    return {"leases": leases, **worst}


def of_memberships(sagas: Collection[str], joined: Collection[str]) -> dict[str, Check]:
    """Of each saga, whether this process is given its messages."""
    return {saga: Check(ok=True) if saga in joined else wrong("stopped", "it is given no messages") for saga in sagas}


def _server(outage: Outage) -> Check:
    fault = outage.fault
    return Check(ok=True) if fault is None else wrong("away", fault)


def _leases(number: int) -> Check:
    """One without any stands by: others have all, or an operator has paused it."""
    return Check(ok=True, detail="none: others have them, or nothing is to be done" if not number else f"{number}")


def _partition(status: Status) -> Check:
    if status.failure is not None:
        found = condition_of_failure(status.failure)
        return wrong(found.word, found.detail or status.failure.reason)
    return Check(ok=True) if status.state == "live" else wrong("behind", "is catching up")
