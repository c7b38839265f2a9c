"""What the checks of readiness may say, and what is said of a projection and of a saga."""

from typing import Literal, TypeAlias

from pydantic import BaseModel

from infrastructure.eventstore.group_state import GroupState
from infrastructure.readmodels.health import ProjectionHealth

State: TypeAlias = Literal[
    "ok", "behind", "slow", "stuck", "failing", "stopped", "paused", "blocked", "away", "misconfigured"
]


class Check(BaseModel):
    """One thing that the service needs or runs: whether it is as it should be, and `detail` about what is
    not, or was not.

    `away` is what does not answer or does not run, `failing` what answers and can't do its work, `behind` what catches
    up by itself, `stopped` what waits for a release that can go on, `blocked` what goes on except for some streams,
    `stuck` what does not go on before somebody acts, `misconfigured` what serves but may lose what it was given.
    """

    ok: bool
    state: State = "ok"
    detail: str | None = None


class Report(BaseModel):
    """`unable` while the event store is away or failing; else `degraded` where any check is not `ok`: it serves, and
    somebody should look."""

    status: Literal["ok", "degraded", "unable"]
    checks: dict[str, Check]


def of_projection(health: ProjectionHealth) -> Check:
    """The check of a projection, by its workers' reports."""
    if health.failure is not None:
        by_an_event = health.failure.position is not None
        return wrong("stopped" if by_an_event else "away", f"stopped: {health.failure.reason}")
    if not health.live:
        return wrong("behind", "is being built")
    if not health.alive:
        return wrong("away", "has no worker")
    return Check(ok=True, detail=_mended(health)) if health.caught_up else wrong("behind", "is catching up")


def of_saga(group: GroupState | None) -> Check:
    """The check of a saga, by its group; None where no worker has ever joined one."""
    if group is None or group.consumers == 0:
        return wrong("away", "has no worker")
    if group.parked:
        return wrong("blocked", f"{group.parked} of its messages are parked")
    return Check(ok=True) if group.is_live else wrong("behind", f"is catching up, {group.waiting} messages wait")


def _mended(health: ProjectionHealth) -> str | None:
    return f"Redis had lost {health.repairs} rows and entries, which were mended" if health.repairs else None


def wrong(state: State, detail: str) -> Check:
    """A check that is not as it should be."""
    return Check(ok=False, state=state, detail=detail)
