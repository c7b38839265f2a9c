"""Compares a query's token and the rows it read with the log: they must be of the same store and the same history."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.checkpoint import Anchor
from infrastructure.readmodels.errors import ForeignPosition, ReadModelUnavailable
from infrastructure.readmodels.partition_result import PartitionResult
from infrastructure.readmodels.position_token import PositionToken, beginning_of
from infrastructure.readmodels.seen_log import FoldedFrom, SeenLog
from projections.projection import Projection

_SECONDS: Final = 0.25
_FOLDED_FOR: Final = 0.5  # seconds: whoever moves the checkpoint meanwhile follows this log


class LogHistory:
    """Tells one store, and one history of a store, from another. A store that does not answer is taken to be right.

    What the log has said once is remembered for as long as it is the same log.
    """

    def __init__(self, seen: SeenLog) -> None:
        self._seen: Final = seen

    async def require_same(
        self, projection: Projection[Any], results: Sequence[PartitionResult[Any]], at_least: PositionToken
    ) -> None:
        """Raises ForeignPosition for a token of another log, and ReadModelUnavailable for rows of another.

        The rows come last: a token from before the store went back to an older copy is the caller's to give up.
        """
        await self._require_store(projection.name, results, at_least)
        self._require_store_of_token(projection.name, results, at_least)
        await self._require_record(projection.name, at_least)
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(self._fault(projection, result)) for result in results]
        for fault in (task.result() for task in asked):
            if fault is not None:
                raise ReadModelUnavailable(projection.name, fault)

    async def _require_store(
        self, projection: str, results: Sequence[PartitionResult[Any]], token: PositionToken
    ) -> None:
        """Where a token is new here, its store has answered somebody a moment ago: a connection may be lost."""
        stores = {result.generation.store for result in results}
        await self._seen.look()
        is_new = token.event is not None and not self._seen.holds(token)
        if is_new if not self._seen.answers else not stores <= {self._seen.identity}:
            await self._seen.look(now=True)
        if self._seen.answers and not stores <= {self._seen.identity}:
            raise ReadModelUnavailable(projection, "it was folded from another event store than the one that is there")

    def _require_store_of_token(
        self, projection: str, results: Sequence[PartitionResult[Any]], token: PositionToken
    ) -> None:
        stores = {beginning_of(result.generation.store) for result in results}
        if token.store is not None and stores != {token.store}:
            raise ForeignPosition(projection, token, "it is of another event store")

    async def _require_record(self, projection: str, token: PositionToken) -> None:
        """One from beyond the end of the log passes: it may not be there yet."""
        if token.event is None or self._seen.holds(token) or not self._seen.answers:
            return
        try:
            if await self._seen.calls.answer(token, lambda: self._holds(token)):
                self._seen.found(token)
                return
            if token.position > await self._seen.end(_SECONDS):
                return
        except StoreUnavailable:
            return
        raise ForeignPosition(projection, token, "the log holds another record there, as after a restore")

    async def _holds(self, token: PositionToken) -> bool:
        """Also for those who asked while another did."""
        return self._seen.holds(token) or await self._seen.log.holds(token.position, token.event or "", _SECONDS)

    async def _fault(self, projection: Projection[Any], result: PartitionResult[Any]) -> str | None:
        """Why what was read of a partition is not folded from this log; None where it is, or may be."""
        key, position = (projection.name, result.partition), result.checkpoint.position
        if position is None or not self._seen.answers:
            return None
        async with self._seen.turns[key]:
            known = self._seen.folded.get(key)
            if known is not None and known.generation != result.generation:
                known = None
            now = time.monotonic()
            if known is not None and (known.position == position or now - known.found < _FOLDED_FOR):
                return None
            try:
                if fault := await self._contradiction(projection, result, position, known):
                    return fault
            except StoreUnavailable:
                return None
            self._seen.folded[key] = FoldedFrom(result.generation, position, now)
            return None

    async def _contradiction(
        self, projection: Projection[Any], result: PartitionResult[Any], position: int, known: FoldedFrom | None
    ) -> str | None:
        """What in the log does not fit the checkpoint. Raises StoreUnavailable."""
        if position > (end := await self._seen.end(_SECONDS)):
            return f"its checkpoint {position} is ahead of the log, {end}"
        anchor = result.checkpoint.anchor
        if anchor is None:
            return None
        if await self._is_lost(anchor):
            return f"the log has another history: at {anchor.position} it does not hold the event {anchor.event_id}"
        places = [anchor.position, None if known is None else known.position]
        after = max((place for place in places if place is not None), default=-1)
        if after >= position:
            return None
        pattern = partition_pattern(projection.category, result.partition, result.generation.partitions)
        return await self._never_folded(pattern, after, position)

    async def _is_lost(self, anchor: Anchor) -> bool:
        if anchor.position is None or anchor.event_id is None:
            return False
        return not await self._seen.log.holds(anchor.position, str(anchor.event_id), _SECONDS)

    async def _never_folded(self, pattern: str, after: int, position: int) -> str | None:
        """An event of the partition after the one place and up to the other.

        Of a partition that was quiet for very long, that takes too long to find out; then it is taken for granted.
        """
        try:
            found = await self._seen.log.first_after(pattern, None if after < 0 else after, _SECONDS)
        except StoreUnavailable:
            return None
        if found is None or found > position:
            return None
        return f"the log has another history: the event at {found} was never folded"
