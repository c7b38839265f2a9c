"""What the checks of readiness may say, and what is said of a projection and of a saga."""

from typing import Literal, TypeAlias

from pydantic import BaseModel

from infrastructure.readmodels.condition import NO_WORKER, LagBounds, condition_of
from infrastructure.readmodels.health import ProjectionHealth
from infrastructure.readmodels.lag_meter import ProjectionLag
from infrastructure.readmodels.pauses import Operation
from infrastructure.readmodels.status import now
from service.health.saga_figures import SagaFigures
from service.health.saga_state import SagaState

State: TypeAlias = Literal[
    "ok", "behind", "slow", "stuck", "failing", "stopped", "paused", "blocked", "away", "misconfigured"
]


class Check(BaseModel):
    """One thing that the service needs or runs: whether it is as it should be, and `detail` about what is
    not, or was not.

    `away` is what does not answer, `failing` what answers and can't do its work, or did not at its last attempt,
    `behind` what catches up by itself, `slow` what goes on and falls back all the same,
    `stopped` what has no worker, or waits for a release that can go on, `paused` what an operator has paused,
    `blocked` what goes on except for some streams, or has some wrong, `stuck` what is worked on and does not go on
    before somebody acts,
    `misconfigured` what serves but may lose what it was given.
    """

    ok: bool
    state: State = "ok"
    detail: str | None = None


class Report(BaseModel):
    """`unable` while the event store is away or failing; else `degraded` where any check is not `ok`: it serves, and
    somebody should look."""

    status: Literal["ok", "degraded", "unable"]
    checks: dict[str, Check]

    def without_details(self) -> "Report":
        """As everybody may have it: without what is told of this installation. That nothing works at it is no secret,
        and whoever starts the service waits for it."""
        told = {name: _without_detail(check) for name, check in self.checks.items()}
        return Report(status=self.status, checks=told)


def _without_detail(check: Check) -> Check:
    return Check(ok=check.ok, state=check.state, detail=check.detail if check.detail == NO_WORKER else None)


def of_projection(
    health: ProjectionHealth, lag: ProjectionLag | None, bounds: LagBounds, pause: Operation | None
) -> Check:
    """The check of a projection, by its workers' reports and its lag, None where the log could not be asked."""
    found = condition_of(health, lag, bounds, pause)
    told = (found.detail, _audited(health) if found.word == "ok" else None)
    detail = "; ".join(filter(None, told)) or None
    return Check(ok=found.word == "ok", state=found.word, detail=detail)


def _audited(health: ProjectionHealth) -> str | None:
    """When the last look at all of its rows began, once there was one at each."""
    audit = health.audit
    if audit is None or audit.since is None:
        return None
    seconds = (now() - audit.since).total_seconds()
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds > 2 * length:
            return _compared(f"{seconds / length:.0f} {unit}")
    return _compared(f"{max(1.0, seconds):.0f} s")


def _compared(ago: str) -> str:
    """Rows that came since then may not have been."""
    return f"all rows of {ago} ago have been compared with the log since"


def of_unreported() -> Check:
    """The check of a projection whose workers could not report until a moment ago."""
    return wrong("behind", "its worker has not reported yet since Redis can be used again")


def of_saga(found: SagaState) -> Check:
    """The check of a saga, by its group, its sweep of the log, and its instances."""
    group = found.group
    if group is None or not found.has_worker:
        return wrong("stopped", NO_WORKER)
    if found.is_halted:
        return wrong("stuck", f"its sweep of the log has halted: {found.unsettled} messages fail")
    if found.stands_still:
        waiting = f"{group.waiting} messages wait"
        return wrong("stuck", f"nothing was acknowledged for {found.unacknowledged_seconds:.0f} s, {waiting}")
    if found.stopped:
        number, first = len(found.stopped), found.stopped[0]
        return wrong("stuck", f"{number} of its instances {_have(number)} stopped, first {first}")
    if group.parked:
        return wrong("blocked", f"{group.parked} of its messages are parked")
    if found.fails_for_long:
        return wrong("stuck", f"{found.unsettled} messages fail in every sweep of the log")
    if not group.is_live:
        return wrong("behind", f"is catching up, {group.waiting} messages wait")
    return Check(ok=True) if found.figures is None else _of_instances(found.figures)


def _of_instances(figures: SagaFigures) -> Check:
    if figures.stuck:
        since = f"run, and nothing has happened to them for {figures.stuck_seconds} s"
        return wrong("stuck", f"{figures.stuck} of its instances {since}, first {figures.longest_stuck}")
    if figures.overdue:
        return wrong("stuck", f"{figures.overdue} of its instances have a deadline that passed more than a minute ago")
    if paused := figures.by_status["paused"]:
        return wrong("paused", f"{paused} of its instances {'is' if paused == 1 else 'are'} paused")
    return Check(ok=True)


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def wrong(state: State, detail: str) -> Check:
    """A check that is not as it should be."""
    return Check(ok=False, state=state, detail=detail)
