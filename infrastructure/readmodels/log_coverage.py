"""Asks the log whether it holds an event that is missing in rows that were read."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.errors import ReadModelBehind
from infrastructure.readmodels.partition_result import PartitionResult, lowest
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.seen_log import NoEventsUntil, SeenLog
from projections.projection import Projection

T = TypeVar("T")
_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """The log ends at `end`; up to `until`, `end` at most, a partition has no event after its checkpoint."""

    end: int
    until: int


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
        """The results that may lack an event up to there: those of which the store does not tell in time, too.

        Raises ReadModelBehind where the log does not go that far.
        """
        try:
            async with asyncio.timeout(seconds):
                covered = await asyncio.gather(*(self._of(projection, result) for result in results))
        except TimeoutError:
            return results
        if any(each is not None and each.end < at_least.position for each in covered):
            raise ReadModelBehind(projection.name, lowest(results), at_least)
        return [
            result
            for result, each in zip(results, covered, strict=True)
            if each is None or each.until < at_least.position
        ]

    async def of(
        self, projection: Projection[Any], generation: Generation, partition: int, checkpoint: int | None
    ) -> Coverage | None:
        """What the log says of a partition at a checkpoint, within two seconds; None where it does not answer.

        All who ask for the same at once share the question.
        """
        question = (projection.name, generation, partition, checkpoint)
        return await self._seen.calls.answer(question, lambda: self._covered(projection, *question[1:]))

    async def _of(self, projection: Projection[Any], result: PartitionResult[Any]) -> Coverage | None:
        return await self.of(projection, result.generation, result.partition, result.checkpoint.position)

    def _known_until(self, projection: Projection[Any], result: PartitionResult[Any]) -> int:
        quiet = self._seen.quiet.get((projection.name, result.partition))
        if quiet is None or (quiet.generation, quiet.checkpoint) != (result.generation, result.checkpoint.position):
            return result.position
        return max(result.position, quiet.position)

    async def _covered(
        self, projection: Projection[Any], generation: Generation, partition: int, checkpoint: int | None
    ) -> Coverage | None:
        pattern = partition_pattern(projection.category, partition, generation.partitions)
        try:
            end = await self._seen.end(_SECONDS)
            following = await self._seen.log.first_after(pattern, checkpoint, _SECONDS)
        except StoreUnavailable:
            return None
        until = end if following is None else min(end, following - 1)
        self._seen.quiet[projection.name, partition] = NoEventsUntil(generation, checkpoint, until)
        return Coverage(end, until)
