"""Waits until a read model has come as far as a position token, for a bounded time, together with all others."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar

from infrastructure.readmodels.block_readers import BlockedStream
from infrastructure.readmodels.errors import ReadModelBehind, ReadModelUnavailable
from infrastructure.readmodels.log_coverage import LogCoverage
from infrastructure.readmodels.log_history import LogHistory
from infrastructure.readmodels.partition_result import PartitionResult, lowest
from infrastructure.readmodels.partition_watch import ASK_AFTER
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.seen_log import SeenLog
from infrastructure.readmodels.watches import Watches
from projections.projection import Projection

T = TypeVar("T")
BeforeWaiting: TypeAlias = Callable[[], Awaitable[None]]
"""Called once by a query that is about to wait; what it raises ends the query."""
_LEAST_SECONDS: Final = 0.2
"""For a look into the log where no time is left: a query that does not wait is answered, too."""


class FreshReads(Generic[T]):
    """Reads of one projection that are at least as new as a token, each by `read`, which has a patience of its own:
    a time to wait for freshness is not a time to read."""

    def __init__(
        self,
        read: Callable[[], Awaitable[Sequence[PartitionResult[T]]]],
        projection: Projection[Any],
        seen: SeenLog,
        watches: Watches,
    ) -> None:
        self._read: Final = read
        self._projection: Final = projection
        self._seen: Final = seen
        self._watches: Final = watches
        self._history: Final = LogHistory(seen)
        self._coverage: Final = LogCoverage(seen)

    async def read(
        self, at_least: PositionToken, wait: float, before_waiting: BeforeWaiting | None = None
    ) -> Sequence[PartitionResult[T]]:
        """What is read once every partition has come as far; raises ReadModelBehind after `wait` seconds.

        A partition's checkpoint moves with each event of interest, else only every few hundred events of the log. So
        where partitions stay behind for 40 ms, the log is asked (then every 100 ms) whether it holds an event of
        theirs between the checkpoint and the token. If not, what was read *is* the state at the token, and the answer
        says so. That is remembered in this process alone: a query writes nothing. A token from beyond the end of the
        log is not waited for, nor one from beyond the block of the stream that is asked about. Raises ForeignPosition
        for a token of another log, and ReadModelUnavailable for rows of another.
        """
        deadline = time.monotonic() + wait
        heard, results = self._watches.heard, await self._read()
        while behind := await self._behind(results, at_least):
            left = deadline - time.monotonic()
            if left <= 0:
                if wait > ASK_AFTER + _LEAST_SECONDS or await self._lacks_something(behind, at_least):
                    raise self._refusal(results, at_least)
                break
            if before_waiting is not None:
                await before_waiting()
                before_waiting = None
            if not await self._watches.wait(self._projection, behind, at_least.position, heard, left):
                raise self._refusal(results, at_least)
            heard, results = self._watches.heard, await self._newer(results, at_least, deadline)
        return [result.known_at(self._checked(at_least)) for result in results]

    async def _behind(
        self, results: Sequence[PartitionResult[T]], at_least: PositionToken
    ) -> Sequence[PartitionResult[T]]:
        await self._history.require_same(self._projection, results, at_least)
        for result in results:
            require_unblocked(self._projection, result, at_least)
        return self._coverage.possibly_behind(self._projection, results, at_least.position)

    async def _lacks_something(self, behind: Sequence[PartitionResult[T]], at_least: PositionToken) -> bool:
        """Asks the log, for one who did not wait until that was done for all. Raises ReadModelBehind."""
        return bool(await self._coverage.still_behind(self._projection, behind, at_least, _LEAST_SECONDS))

    async def _newer(
        self, results: Sequence[PartitionResult[T]], at_least: PositionToken, deadline: float
    ) -> Sequence[PartitionResult[T]]:
        """What is read now; what was read already, where the log has shown it to be the state there.

        Raises ReadModelBehind where the time is up and nothing can be read: a moment ago it could be.
        """
        if not self._coverage.possibly_behind(self._projection, results, at_least.position):
            return results
        try:
            async with self._watches.turns:
                return await self._read()
        except ReadModelUnavailable as error:
            if time.monotonic() < deadline:
                raise
            raise self._refusal(results, at_least) from error

    def _refusal(self, results: Sequence[PartitionResult[T]], at_least: PositionToken) -> ReadModelBehind:
        return ReadModelBehind(self._projection.name, lowest(results), at_least)

    def _checked(self, token: PositionToken) -> PositionToken:
        """The token, with its record only where the log was found to hold it."""
        return token if self._seen.holds(token) else PositionToken(token.position)


def require_unblocked(projection: Projection[Any], result: PartitionResult[Any], at_least: PositionToken) -> None:
    """Raises ReadModelBehind where the stream that was asked about is blocked before that place."""
    if result.blocked is not None and at_least.position >= result.blocked.block.position:
        raise blocked_refusal(projection, result, result.blocked, at_least)


def blocked_refusal(
    projection: Projection[Any],
    result: PartitionResult[Any],
    blocked: BlockedStream,
    at_least: PositionToken | None,
) -> ReadModelBehind:
    """What is to be said of a stream that is blocked, to one who asks for that place or for any."""
    stream, version = blocked.stream, blocked.block.version
    return ReadModelBehind(projection.name, result.token, at_least, stream=stream, version=version)
