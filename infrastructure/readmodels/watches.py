"""Lets queries wait for partitions: one watch for each partition that somebody waits for."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.commit_listener import CommitListener
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.keys import PartitionId, ProjectionKeys
from infrastructure.readmodels.live_generation import read_checkpoint
from infrastructure.readmodels.log_coverage import LogCoverage
from infrastructure.readmodels.partition_result import PartitionResult
from infrastructure.readmodels.partition_watch import PartitionWatch
from infrastructure.readmodels.servers import Servers
from projections.projection import Projection

_READS_AT_ONCE: Final = 64


class Watches:
    """What those share who wait for the read models of one namespace.

    `turns` are taken to read again: a thousand whom one commit wakes would take longer together than each may read.
    """

    def __init__(self, servers: Servers, namespace: str, coverage: LogCoverage, listener: CommitListener) -> None:
        self._servers: Final = servers
        self._namespace: Final = namespace
        self._coverage: Final = coverage
        self._listener: Final = listener
        self._watches: Final[dict[PartitionId, PartitionWatch]] = {}
        self.turns: Final = asyncio.Semaphore(_READS_AT_ONCE)

    @property
    def heard(self) -> int:
        """The number of the last announcement that was heard: to be asked for before what is waited for is read."""
        return self._listener.number

    async def wait(
        self,
        projection: Projection[Any],
        results: Sequence[PartitionResult[Any]],
        position: int,
        heard_before: int,
        seconds: float,
    ) -> bool:
        """Waits until all these partitions may have come to the position, at most for so many seconds.

        False where the log does not go that far. `heard_before` is `heard` of before they were read.
        """
        watches = [self._watch(projection, result) for result in results]
        entered = [
            watch.enter(position, result.checkpoint.position, heard_before)
            for watch, result in zip(watches, results, strict=True)
        ]
        try:
            done, _ = await asyncio.wait([future for _, future in entered], timeout=seconds)
        finally:
            for watch, (place, _) in zip(watches, entered, strict=True):
                watch.leave(place)
            self._close_idle(projection, results)
        return all(future.result() for future in done)

    def _watch(self, projection: Projection[Any], result: PartitionResult[Any]) -> PartitionWatch:
        partition = _id_of(projection, result)
        if partition not in self._watches:
            self._watches[partition] = self._begin(partition, projection, result)
        return self._watches[partition]

    def _begin(
        self, partition: PartitionId, projection: Projection[Any], result: PartitionResult[Any]
    ) -> PartitionWatch:
        keys = ProjectionKeys(self._namespace, projection.name, projection.version)
        generation, number = result.generation, result.partition

        async def look() -> Checkpoint | None:
            try:
                return await read_checkpoint(self._servers, keys, generation, number)
            except ReadModelUnavailable:
                return None

        return PartitionWatch(
            partition,
            self._listener,
            look,
            lambda checkpoint: self._coverage.of(projection, generation, number, checkpoint),
        )

    def _close_idle(self, projection: Projection[Any], results: Sequence[PartitionResult[Any]]) -> None:
        for partition in (_id_of(projection, result) for result in results):
            if self._watches[partition].is_idle:
                self._watches.pop(partition).close()


def _id_of(projection: Projection[Any], result: PartitionResult[Any]) -> PartitionId:
    return projection.name, result.generation.number, result.partition
