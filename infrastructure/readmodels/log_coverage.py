"""Asks the log whether it holds an event that is missing in rows that were read."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.errors import ReadModelBehind
from infrastructure.readmodels.partition_result import PartitionResult, lowest
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.seen_log import NoEventsUntil, SeenLog
from projections.projection import Projection

T = TypeVar("T")


class LogCoverage:
    """How much of the log the rows cover that a query read. Every call is bounded."""

    def __init__(self, seen: SeenLog) -> None:
        self._seen: Final = seen

    def possibly_behind(
        self, projection: Projection[Any], results: Sequence[PartitionResult[T]], at_least: int
    ) -> Sequence[PartitionResult[T]]:
        """The results with an earlier checkpoint, but for those that the log has shown to be the state there."""
        return [result for result in results if self._known_until(projection, result) < at_least]

    async def still_behind(
        self,
        projection: Projection[Any],
        results: Sequence[PartitionResult[T]],
        at_least: PositionToken,
        seconds: float,
    ) -> Sequence[PartitionResult[T]]:
        """The results that may lack an event up to there: all of them where the store does not answer.

        Raises ReadModelBehind where the log does not go that far.
        """
        try:
            end = await self._seen.end(seconds)
        except StoreUnavailable:
            return results
        if end < at_least.position:
            raise ReadModelBehind(projection.name, lowest(results), at_least)
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(self._quiet_until(projection, result, end, seconds)) for result in results]
        return [result for result, quiet in zip(results, asked, strict=True) if quiet.result() < at_least.position]

    def _known_until(self, projection: Projection[Any], result: PartitionResult[Any]) -> int:
        quiet = self._seen.quiet.get((projection.name, result.partition))
        if quiet is None or (quiet.generation, quiet.checkpoint) != (result.generation, result.checkpoint.position):
            return result.position
        return max(result.position, quiet.position)

    async def _quiet_until(
        self, projection: Projection[Any], result: PartitionResult[Any], end: int, seconds: float
    ) -> int:
        """The position up to which the partition has no event after its checkpoint, `end` at most."""
        checkpoint = result.checkpoint.position
        pattern = partition_pattern(projection.category, result.partition, result.generation.partitions)
        try:
            following = await self._seen.log.first_after(pattern, checkpoint, seconds)
        except StoreUnavailable:
            return result.position
        until = end if following is None else min(end, following - 1)
        self._seen.quiet[projection.name, result.partition] = NoEventsUntil(result.generation, checkpoint, until)
        return until
