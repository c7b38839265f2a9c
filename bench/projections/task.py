"""What a worker of the bench is told: where everything is, and what it folds."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from projections.projection import Projection
from service.consumers import PROJECTIONS

NAMESPACE = "bench"


@dataclass(frozen=True, slots=True)
class Task:
    """It folds these projections, in so many partitions, and begins after that position of the log."""

    eventstore: str
    redis: str
    names: Sequence[str]
    partitions: int = 1
    after: int | None = None

    def command(self, program: str) -> list[str]:
        """Runs a program of this folder with the task as its argument."""
        return [sys.executable, "-m", f"bench.projections.{program}", json.dumps(asdict(self))]

    @property
    def projections(self) -> list[Projection[Any]]:
        return [projection for projection in PROJECTIONS if projection.name in self.names]


def told_task() -> Task:
    """The task that this process was started with."""
    return Task(**json.loads(sys.argv[1]))
