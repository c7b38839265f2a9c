"""What a look at the projections finds, of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from infrastructure.readmodels.backlog import Lag, total
from infrastructure.readmodels.condition import Condition
from infrastructure.readmodels.health import GenerationHealth, PartitionHealth, ProjectionHealth
from infrastructure.readmodels.lag_meter import ProjectionLag
from infrastructure.readmodels.lease_holders import Holder
from infrastructure.readmodels.pauses import Operation
from infrastructure.readmodels.status import LastError
from infrastructure.uri import without_logins
from projections.projection import Projection

Role: TypeAlias = Literal["live", "building", "rebuilding", "kept"]
Holders: TypeAlias = Sequence[Holder | None]
"""Who holds the lease of each partition of a generation, None where nobody does."""


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """How a projection fares; `health` and `lag` are None where what Redis holds of it can't be read."""

    projection: Projection[Any]
    condition: Condition
    health: ProjectionHealth | None = None
    lag: ProjectionLag | None = None
    pause: Operation | None = None

    @property
    def detail(self) -> str | None:
        """What is to be said beside the word, without the logins of URIs."""
        said = self.condition.detail
        return None if said is None else without_logins(said)

    @property
    def generations(self) -> list["GenerationStatus"]:
        """The one that is read, or that is the first to be built; the one that is built beside it; and those that
        workers don't follow, what a rebuild works on and what is kept."""
        health, lag = self.health, self.lag
        if health is None or lag is None:
            return []
        found = []
        if health.partitions:
            shown = health.building if health.generation is None else health.generation
            role: Role = "live" if health.live else "building"
            found.append(GenerationStatus(shown or 0, role, health.partitions, lag.partitions))
        if health.rebuilt:
            found.append(GenerationStatus(health.building or 0, "building", health.rebuilt, lag.rebuilt))
        others: list[tuple[Role, GenerationHealth | None]] = [("rebuilding", health.rebuilding), ("kept", health.kept)]
        for role, each in others:
            if each is not None:
                found.append(GenerationStatus(each.number, role, each.partitions, (None,) * len(each.partitions)))
        return found

    @property
    def followed(self) -> list["GenerationStatus"]:
        """Those that workers follow."""
        return [each for each in self.generations if each.role in {"live", "building"}]


@dataclass(frozen=True, slots=True)
class GenerationStatus:
    """One generation: its number, what it is for, and its partitions with the lag of each, None where unknown."""

    number: int
    role: Role
    partitions: tuple[PartitionHealth, ...]
    lags: tuple[Lag | None, ...]

    @property
    def live(self) -> bool:
        """Whether queries read it."""
        return self.role == "live"

    @property
    def lag(self) -> Lag | None:
        """That of all partitions together."""
        return total(self.lags)

    @property
    def position(self) -> int:
        """That of the partition that is furthest back."""
        return min(each.position for each in self.partitions)

    @property
    def blocked(self) -> int:
        """How many streams of all partitions are blocked."""
        return sum(len(each.blocked) for each in self.partitions)

    @property
    def waiting(self) -> int:
        """How many events wait behind them."""
        return sum(each.waiting for each in self.partitions)

    @property
    def rate(self) -> float:
        """Events folded a second by all workers together."""
        return sum(each.status.rate or 0.0 for each in self.partitions if each.status is not None)

    @property
    def workers(self) -> list[str]:
        return sorted({each.status.worker for each in self.partitions if each.status is not None})

    @property
    def last_error(self) -> LastError | None:
        """The newest of all partitions."""
        return newest_error(self.partitions)


def newest_error(partitions: Iterable[PartitionHealth]) -> LastError | None:
    """The last error that any worker of these has reported, without the logins of URIs."""
    errors = [each.status.last_error for each in partitions if each.status is not None and each.status.last_error]
    newest = max(errors, key=lambda error: error.at, default=None)
    return newest and newest.model_copy(update={"reason": without_logins(newest.reason)})
