"""Waiting until a read model has come as far as a position token, bounded, and without polling the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

import grpc
from esdbclient import AsyncEventStoreDBClient

from infrastructure.eventstore.client import address_of, bounded, raise_if_cancelled
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.streams import partition_pattern
from infrastructure.readmodels.errors import ReadModelBehind
from infrastructure.readmodels.generations import Generation
from projections.projection import Projection

T = TypeVar("T")
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.025
_ASK_AFTER: Final = 0.04
_ASK_EVERY: Final = 0.1
_ASK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What was read of one partition, and the checkpoint that was read with it (None: at the beginning)."""

    generation: Generation
    partition: int
    checkpoint: int | None
    value: T

    @property
    def position(self) -> int:
        return self.checkpoint or 0


async def wait_for(
    read: Callable[[], Awaitable[Sequence[Part[T]]]],
    log: "Log",
    *,
    at_least: int,
    wait: float,
) -> Sequence[Part[T]]:
    """Reads until every part stands at `at_least` or beyond; raises ReadModelBehind after `wait` seconds.

    A partition's checkpoint moves when something of interest happens, else only every few hundred events of the log.
    So where parts stay behind for 40 ms, the log is asked (then every 100 ms) whether it holds, between the
    checkpoint that was read and the token, any event of their partition. If not, what was read *is* the state at the
    token, and the answer says so; the stored checkpoint stays the worker's own: a query writes nothing.
    """
    deadline = time.monotonic() + wait
    ask_at, pause = time.monotonic() + min(_ASK_AFTER, wait), _FIRST_PAUSE
    while True:
        parts = await read()
        behind: Sequence[Part[T]] = [part for part in parts if part.position < at_least]
        if behind and time.monotonic() >= ask_at:
            behind = await log.not_at(behind, at_least)
            ask_at = time.monotonic() + _ASK_EVERY
        if not behind:
            return [part if part.position >= at_least else replace(part, checkpoint=at_least) for part in parts]
        if (left := deadline - time.monotonic()) <= 0:
            raise ReadModelBehind(log.projection.name, min(part.position for part in parts), at_least)
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


class Log:
    """What the event store can say about how far a projection's partitions are."""

    def __init__(self, client: AsyncEventStoreDBClient, projection: Projection[Any]) -> None:
        self._client = client
        self.projection = projection

    async def not_at(self, parts: Sequence[Part[T]], at_least: int) -> Sequence[Part[T]]:
        """Those parts that can't be said to be the state at that position: all, where the store does not tell."""
        try:
            async with bounded(self._client, seconds=_ASK_SECONDS):
                end = await self._client.get_commit_position(filter_exclude=[], timeout=_ASK_SECONDS)
                raise_if_cancelled()
                if end < at_least:
                    return parts
                missing = await asyncio.gather(*(self._misses(part, at_least) for part in parts))
        except StoreUnavailable:
            return parts
        return [part for part, misses in zip(parts, missing, strict=True) if misses]

    async def _misses(self, part: Part[Any], up_to: int) -> bool:
        """Whether an event of the partition lies after the part's checkpoint, up to that position.

        Two events are enough: the first may be the one at the checkpoint itself. The client asks the leader: a
        follower of a cluster may not have the event yet.
        """
        pattern = partition_pattern(self.projection.category, part.partition, part.generation.partitions)
        response = await self._client.read_all(
            commit_position=part.checkpoint,
            filter_include=(pattern,),
            filter_by_stream_name=True,
            limit=2,
            timeout=_ASK_SECONDS,
        )
        async with response:
            positions = [event.commit_position or 0 async for event in response]
            if await response.aio_call.code() is not grpc.StatusCode.OK:  # a cut connection looks like the end
                raise_if_cancelled()
                raise StoreUnavailable(address_of(self._client), "the connection was closed during a read")
        return any(part.position < position <= up_to for position in positions)
