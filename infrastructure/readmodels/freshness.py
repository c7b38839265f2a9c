"""Waits until a read model has come as far as a position token, for a bounded time and without polling the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from infrastructure.readmodels.errors import ReadModelBehind, ReadModelUnavailable
from infrastructure.readmodels.log_coverage import LogCoverage
from infrastructure.readmodels.log_history import LogHistory
from infrastructure.readmodels.partition_result import PartitionResult, lowest
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.seen_log import SeenLog
from projections.projection import Projection

T = TypeVar("T")
BeforeWaiting: TypeAlias = Callable[[], Awaitable[None]]
"""Called once by a query that is about to wait; what it raises ends the query."""
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.025
_OF_TIME_WAITED: Final = 0.1  # a pause may be so much of it: hundreds may wait
_ASK_AFTER: Final = 0.04
_ASK_EVERY: Final = 0.1
_ASK_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.1  # for a call where no time is left: a query that does not wait is answered, too


async def read_fresh(
    read: Callable[[], Awaitable[Sequence[PartitionResult[T]]]],
    seen: SeenLog,
    projection: Projection[Any],
    *,
    at_least: PositionToken,
    wait: float,
    before_waiting: BeforeWaiting | None = None,
) -> Sequence[PartitionResult[T]]:
    """Reads until every partition has come as far as `at_least`; raises ReadModelBehind after `wait` seconds.

    `read` has a patience of its own: a time to wait for freshness is not a time to read. A partition's
    checkpoint moves with each event of interest, else only every few hundred events of the log. So where partitions
    stay behind for 40 ms, the log is asked (then every 100 ms) whether it holds an event of theirs between the
    checkpoint that was read and the token. If not, what was read *is* the state at the token, and the answer says so.
    That is remembered in this process alone: a query writes nothing. A token from beyond the end of the log is not
    waited for. Raises ForeignPosition for a token of another log, and ReadModelUnavailable for rows of another.
    """
    history, coverage = LogHistory(seen), LogCoverage(seen)
    began = time.monotonic()
    deadline, ask_at, pause = began + wait, began + min(_ASK_AFTER, wait), 0.0
    results = await read()
    while True:
        await history.require_same(projection, results, at_least)
        behind = coverage.possibly_behind(projection, results, at_least.position)
        if behind and time.monotonic() >= ask_at:
            behind = await coverage.still_behind(projection, behind, at_least, _at_most(_ASK_SECONDS, deadline))
            ask_at = time.monotonic() + _ASK_EVERY
        if not behind:
            return [result.known_at(_checked(at_least, seen)) for result in results]
        if (left := deadline - time.monotonic()) <= 0:
            raise _behind(projection, results, at_least)
        if not pause and before_waiting is not None:
            await before_waiting()
        pause = _pause_after(pause, time.monotonic() - began)
        await asyncio.sleep(min(pause, left))
        results = await _read_again(read, deadline, _behind(projection, results, at_least))


async def _read_again(read: Callable[[], Awaitable[T]], deadline: float, behind: ReadModelBehind) -> T:
    """What is read now. Raises `behind` where the time is up: a moment ago it could be read."""
    try:
        return await read()
    except ReadModelUnavailable as error:
        if time.monotonic() < deadline:
            raise
        raise behind from error


def _pause_after(pause: float, waited: float) -> float:
    """The next pause; the first is short, since most rows are there a moment later."""
    return min(max(2 * pause, _FIRST_PAUSE), max(_LONGEST_PAUSE, _OF_TIME_WAITED * waited))


def _behind(
    projection: Projection[Any], results: Sequence[PartitionResult[Any]], at_least: PositionToken
) -> ReadModelBehind:
    return ReadModelBehind(projection.name, lowest(results), at_least)


def _checked(token: PositionToken, seen: SeenLog) -> PositionToken:
    """The token, with its record only where the log was found to hold it."""
    return token if seen.holds(token) else PositionToken(token.position)


def _at_most(seconds: float, deadline: float) -> float:
    """The seconds left until the deadline, within these bounds."""
    return min(seconds, max(_LEAST_SECONDS, deadline - time.monotonic()))
