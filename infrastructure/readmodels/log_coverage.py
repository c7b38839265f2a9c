"""Compares rows that were read with the log: whether they are this store's, and whether an event is missing in them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable
from infrastructure.eventstore.identity import known_identity
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.generations import Generation
from infrastructure.readmodels.partition_result import PartitionResult
from projections.projection import Projection

T = TypeVar("T")
_KNOWN_FOR: Final = 0.5  # seconds: no event store is replaced by another one faster
_IDENTITY_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class NoEventsUntil:
    """A partition has no event after its checkpoint, up to and including that position.

    It stays true: a log does not change.
    """

    generation: Generation
    checkpoint: int | None
    position: int


class LogCoverage:
    """How much of the log the rows cover that a query read. Every call is bounded."""

    def __init__(self, log: Log) -> None:
        self._log: Final = log
        self._asking: Final = asyncio.Lock()
        self._identity: str | None = None
        self._is_known = False
        self._asked = -_KNOWN_FOR
        self._quiet: Final[dict[tuple[str, int], NoEventsUntil]] = {}

    async def require_same_store(self, projection: str, results: Sequence[PartitionResult[Any]]) -> None:
        """Raises ReadModelUnavailable for results that were folded from an event store that was here before.

        Their positions mean nothing in this one. A store that does not answer is taken for the right one.
        """
        read = time.monotonic()
        stores = {result.generation.store for result in results}
        if not await self._may_be(stores, read - _KNOWN_FOR) and not await self._may_be(stores, read):
            raise ReadModelUnavailable(projection, "it was folded from another event store than the one that is there")

    def possibly_behind(
        self, projection: Projection[Any], results: Sequence[PartitionResult[T]], at_least: int
    ) -> Sequence[PartitionResult[T]]:
        """The results with an earlier checkpoint, but for those that the log has shown to be the state there."""
        return [result for result in results if self._known_until(projection, result) < at_least]

    async def still_behind(
        self, projection: Projection[Any], results: Sequence[PartitionResult[T]], at_least: int, seconds: float
    ) -> Sequence[PartitionResult[T]]:
        """The results that may lack an event up to that position: all of them where the store does not answer."""
        try:
            end = await self._log.end(seconds)
        except StoreUnavailable:
            return results
        if end < at_least:
            return results
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(self._quiet_until(projection, result, end, seconds)) for result in results]
        return [result for result, quiet in zip(results, asked, strict=True) if quiet.result() < at_least]

    def _known_until(self, projection: Projection[Any], result: PartitionResult[Any]) -> int:
        quiet = self._quiet.get((projection.name, result.partition))
        if quiet is None or (quiet.generation, quiet.checkpoint) != (result.generation, result.checkpoint):
            return result.position
        return max(result.position, quiet.position)

    async def _quiet_until(
        self, projection: Projection[Any], result: PartitionResult[Any], end: int, seconds: float
    ) -> int:
        """The position up to which the partition has no event after its checkpoint, `end` at most.

        Two records are enough to tell: the first may be the one at the checkpoint itself.
        """
        pattern = partition_pattern(projection.category, result.partition, result.generation.partitions)
        try:
            records = await self._log.of_streams(pattern, result.checkpoint, 2, seconds)
        except StoreUnavailable:
            return result.position
        positions = [record.position or 0 for record in records]
        until = min([end, *(position - 1 for position in positions if position > result.position)])
        self._quiet[projection.name, result.partition] = NoEventsUntil(result.generation, result.checkpoint, until)
        return until

    async def _may_be(self, stores: set[str], since: float) -> bool:
        """Whether the store, asked at that time or later, is the only one of these or does not answer."""
        async with self._asking:
            if self._asked < since:
                now = time.monotonic()
                await self._identify()
                self._asked = now
            return not self._is_known or stores <= {self._identity}

    async def _identify(self) -> None:
        self._is_known = False
        try:
            self._identity = await known_identity(self._log, _IDENTITY_SECONDS)
        except EventStoreError:
            return
        self._is_known = True
