"""Has the partitions of a view built by processes of their own, and tells how far they are."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.rebuilds.crew import Command, Crew
from infrastructure.rebuilds.errors import RebuildStopped
from infrastructure.rebuilds.progress import PartitionProgress, Progress, ProgressMeter
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.definition import ViewDefinition
from infrastructure.views.view_build import Wait
from projections.projection import Projection

_TICK: Final = 0.5


class ViewFold:
    """Of one projection, by so many `workers`, which `command` starts. `told` hears of progress twice a second.

    A process that dies is started again; one that can't go on ends the build, which the next call goes on with.
    """

    def __init__(
        self,
        deployment: Deployment,
        projection: Projection[Any],
        workers: int,
        command: Command,
        told: Callable[[Progress], object],
    ) -> None:
        self._deployment: Final = deployment
        self._projection: Final = projection
        self._workers: Final = workers
        self._command: Final = command
        self._told: Final = told

    def build(self, view: ViewDefinition, wait: Wait) -> None:
        """Returns when all partitions are built. Raises RebuildStopped, RedisError, and what `wait` raises."""
        keys = [view.keys(self._deployment.namespace, number) for number in range(view.partitions)]
        self._forget_reports(view)
        pointers = ProjectionKeys(self._deployment.namespace, self._projection.name)
        with (
            connect(self._deployment.redis_uri, pointers.live) as connection,
            ProgressMeter(self._deployment.redis_uri, keys) as meter,
            Crew(self._command, self._projection.name, view.generation, self._workers) as crew,
        ):
            catalog = ViewCatalog(connection, self._deployment.namespace, self._projection.name)
            while len(built := catalog.built(view)) < view.partitions:
                progress = _with_built(meter.look(view.end, len(built)), built)
                self._told(progress)
                if progress.failure is not None:
                    reason = f"{progress.failure.reason}; what was built stays, and the next call goes on with it"
                    raise RebuildStopped(self._projection.name, reason)
                crew.tend(built)
                wait(_TICK)

    def _forget_reports(self, view: ViewDefinition) -> None:
        """Those of the processes of a call before, whose failures may be none any more."""
        for number in range(view.partitions):
            key = view.keys(self._deployment.namespace, number).status
            with connect(self._deployment.redis_uri, key) as connection:
                connection.delete(key)


def _with_built(progress: Progress, built: frozenset[int]) -> Progress:
    """The same; a partition that is built has passed the whole log, wherever its last record lies."""
    whole = PartitionProgress(progress.end)
    found = tuple(whole if number in built else each for number, each in enumerate(progress.partitions))
    return replace(progress, partitions=found)
