"""Waiting until a read model has come as far as a position token, bounded, and without polling the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from infrastructure.readmodels.errors import ReadModelBehind, ReadModelUnavailable
from infrastructure.readmodels.eventlog import EventLog
from infrastructure.readmodels.partition_result import PartitionResult
from infrastructure.readmodels.snapshot import READ_SECONDS
from projections.projection import Projection

T = TypeVar("T")
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.025
_ASK_AFTER: Final = 0.04
_ASK_EVERY: Final = 0.1
_ASK_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.1  # what a call gets where no time is left: who waits not at all is answered, too


async def wait_for(
    read: Callable[[float], Awaitable[Sequence[PartitionResult[T]]]],
    log: EventLog,
    projection: Projection[Any],
    *,
    at_least: int,
    wait: float,
) -> Sequence[PartitionResult[T]]:
    """Reads until every part stands at `at_least` or beyond; raises ReadModelBehind after `wait` seconds.

    `read` is given the seconds that it may take. A partition's checkpoint moves when something of interest happens,
    else only every few hundred events of the log. So where parts stay behind for 40 ms, the log is asked (then every
    100 ms) whether it holds, between the checkpoint that was read and the token, any event of their partition. If
    not, what was read *is* the state at the token, and the answer says so; what was found out is remembered here, the
    stored checkpoint stays the worker's own: a query writes nothing.
    """
    deadline = time.monotonic() + wait
    ask_at, pause = time.monotonic() + min(_ASK_AFTER, wait), _FIRST_PAUSE
    parts = await read(_at_most(READ_SECONDS, deadline))
    while True:
        await log.require_same_store(projection.name, parts)
        behind: Sequence[PartitionResult[T]] = [
            part for part in parts if part.position < at_least and not log.is_known_at(projection, part, at_least)
        ]
        if behind and time.monotonic() >= ask_at:
            behind = await log.still_behind(projection, behind, at_least, _at_most(_ASK_SECONDS, deadline))
            ask_at = time.monotonic() + _ASK_EVERY
        if not behind:
            return [part if part.position >= at_least else replace(part, checkpoint=at_least) for part in parts]
        if (left := deadline - time.monotonic()) <= 0:
            raise _behind(projection, parts, at_least)
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            parts = await read(_at_most(READ_SECONDS, deadline))
        except ReadModelUnavailable as error:
            if time.monotonic() < deadline:
                raise
            raise _behind(projection, parts, at_least) from error  # a moment ago it could be read: the time is up


def _behind(projection: Projection[Any], parts: Sequence[PartitionResult[Any]], at_least: int) -> ReadModelBehind:
    return ReadModelBehind(projection.name, min(part.position for part in parts), at_least)


def _at_most(seconds: float, deadline: float) -> float:
    """What is left until the deadline, within these bounds."""
    return min(seconds, max(_LEAST_SECONDS, deadline - time.monotonic()))
