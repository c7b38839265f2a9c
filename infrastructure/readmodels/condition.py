"""One word for how a projection fares, from its workers' reports and its lag; docs/operations.md has the rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, TypeAlias

from infrastructure.readmodels.backlog import Lag
from infrastructure.readmodels.block_readers import BlockedStream
from infrastructure.readmodels.errors import NewerFormat
from infrastructure.readmodels.health import PartitionHealth, ProjectionHealth
from infrastructure.readmodels.lag_meter import ProjectionLag
from infrastructure.readmodels.pauses import Operation
from infrastructure.readmodels.status import Failure

Word: TypeAlias = Literal["ok", "behind", "slow", "stuck", "failing", "stopped", "away", "paused", "blocked"]
NO_WORKER: Final = "has no worker"
"""Of what is `stopped` and will go on as soon as one comes."""
_GOING_ON: Final[frozenset[Word]] = frozenset({"ok", "behind", "slow", "paused", "blocked"})
_SHOWN: Final = 200  # characters of a reason
_AWAY: Final = frozenset({
    "StoreUnavailable", "ConnectionError", "TimeoutError", "BusyLoadingError",
    "AskError", "TryAgainError", "ClusterDownError",
})  # fmt: skip
"""What a worker reports of a server that does not answer or still loads, and of a slot that moves or nobody serves."""


class LagBounds(NamedTuple):
    """A projection is behind with more events than this, or with one that has waited for longer than so many seconds.

    It is stuck when its checkpoint has not moved for so long either.
    """

    events: int = 1_000
    seconds: float = 10.0

    def are_passed_by(self, lag: Lag | None) -> bool:
        return lag is not None and (lag.events > self.events or lag.seconds > self.seconds)


@dataclass(frozen=True, slots=True)
class Condition:
    """The word, and what is to be said beside it."""

    word: Word
    detail: str | None = None


def condition_of(
    health: ProjectionHealth, lag: ProjectionLag | None, bounds: LagBounds, pause: Operation | None = None
) -> Condition:
    """The first of the rules that holds; where the lag is not known, what the workers say of themselves counts.

    That streams are blocked is the last of the rules; it is said too where the others go on, or will.
    """
    found = _followed(health, lag, bounds) if pause is None else _paused(health, lag, pause)
    return _with_blocked(found, health.blocked)


def _with_blocked(found: Condition, blocked: Sequence[BlockedStream]) -> Condition:
    if not blocked or found.word not in _GOING_ON:
        return found
    said = _blocked(blocked)
    return Condition("blocked", said) if found.word == "ok" else replace(found, detail=f"{found.detail}; {said}")


def _blocked(blocked: Sequence[BlockedStream]) -> str:
    """How many streams wait, and at what the first of them does."""
    stream, block = blocked[0]
    place = f"at version {block.version}: {block.reason[:_SHOWN]}"
    if len(blocked) == 1:
        return f"{stream} waits {place}"
    return f"{len(blocked):,} streams wait, the first is {stream} {place}"


def _paused(health: ProjectionHealth, lag: ProjectionLag | None, pause: Operation) -> Condition:
    said = f"paused {pause.described()}"
    if not health.live:
        return Condition("paused", f"{said}; it is not built, so queries are answered some time after it is resumed")
    return Condition("paused", _with_lag(said, lag))


def _followed(health: ProjectionHealth, lag: ProjectionLag | None, bounds: LagBounds) -> Condition:
    if health.later_version is not None:
        return Condition("stopped", f"a later release has taken over with version {health.later_version}")
    if (failure := health.failure) is not None:
        return condition_of_failure(failure)
    if not health.live:
        return Condition("behind", _with_lag("is being built", lag))
    if not health.alive:
        return Condition("stopped", NO_WORKER)
    return _fallen_behind(health, lag, bounds) or _caught_up(health)


def _fallen_behind(health: ProjectionHealth, lag: ProjectionLag | None, bounds: LagBounds) -> Condition | None:
    if lag is not None and (stuck := _stuck(health.partitions, lag.partitions, bounds)) is not None:
        return Condition("stuck", _with_lag(f"its checkpoint has not moved for {stuck:.0f} s", lag))
    if lag is not None and bounds.are_passed_by(lag.total):
        if lag.grows:
            return Condition("slow", _with_lag("is folded more slowly than events come", lag))
        return Condition("behind", _with_lag("is behind", lag))
    return None


def _caught_up(health: ProjectionHealth) -> Condition:
    if not health.caught_up:
        return Condition("behind", "is catching up")
    differing = _differing(health)
    return Condition("ok", _beside(health)) if differing is None else Condition("blocked", differing)


def condition_of_failure(failure: Failure) -> Condition:
    """What a worker's last attempt that failed says of the projection."""
    if failure.error in _AWAY:
        return Condition("away", failure.reason)
    if failure.position is not None or failure.error == NewerFormat.__name__:
        return Condition("stopped", f"stopped: {failure.reason}")
    return Condition("failing", f"its last attempt failed: {failure.reason}")


def _stuck(partitions: Iterable[PartitionHealth], lags: Iterable[Lag | None], bounds: LagBounds) -> float | None:
    """For how long the checkpoint has not moved of the partition that is stuck for longest; None where none is."""
    found = [
        still
        for partition, lag in zip(partitions, lags, strict=True)
        if lag is not None and (still := partition.still) is not None and min(still, lag.seconds) > bounds.seconds
    ]
    return max(found, default=None)


def _with_lag(said: str, lag: ProjectionLag | None) -> str:
    found = None if lag is None else lag.total
    if found is None or not found.events:
        return said
    if found.events == 1:
        return f"{said}: 1 event is not folded yet, {found.seconds:.0f} s old"
    about = "" if found.exact else "about "
    return f"{said}: {about}{found.events:,} events are not folded yet, the oldest {found.seconds:.0f} s old"


def _beside(health: ProjectionHealth) -> str | None:
    """What is to be said though all is well: of what was mended, and of other generations than the live one."""
    said = []
    if health.repairs:
        said.append(
            f"{health.repairs} rows and entries were written anew: Redis had lost them, or their streams were blocked"
        )
    if (rebuilding := health.rebuilding) is not None:
        what = "is being rebuilt" if rebuilding.folded else "was begun by a rebuild that does not run now"
        said.append(f"generation {rebuilding.number} {what}, about {health.rebuilt_share:.0%} through the log")
    if health.kept is not None:
        said.append(f"generation {health.kept.number} is kept")
    return "; ".join(said) or None


def _differing(health: ProjectionHealth) -> str | None:
    """What the background audit has found that nobody has mended yet."""
    audit = health.audit
    if audit is None or not audit.differing:
        return None
    streams = "1 stream" if audit.differing == 1 else f"{audit.differing:,} streams"
    such_as = f", such as {audit.told[0]}" if audit.told else ""
    mended = f"foldstream audit {health.projection} --repair mends it"
    return f"what Redis has of {streams} differs from the log{such_as}; {mended}"
