"""What the event store can say about rows that were read: whether they are its own, and whether anything is missing."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc
from esdbclient import AsyncEventStoreDBClient

from infrastructure.eventstore.client import address_of, bounded, raise_if_cancelled
from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable
from infrastructure.eventstore.identity import known_identity
from infrastructure.eventstore.streams import partition_pattern
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.generations import Generation
from infrastructure.readmodels.part import Part
from projections.projection import Projection

T = TypeVar("T")
_CALLS_AT_ONCE: Final = 32  # of the 100 that fit on the client's connection, and a small part of the store's attention
_KNOWN_FOR: Final = 0.5  # seconds: no event store is replaced by another one faster
_IDENTITY_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Silence:
    """That a partition has no event after its checkpoint, up to that position: the log does not change."""

    generation: Generation
    checkpoint: int | None
    up_to: int


class EventLog:
    """The log as queries ask it, through a client that is not the commands'. Every call is bounded."""

    def __init__(self, client: AsyncEventStoreDBClient) -> None:
        self._client: Final = client
        self._slots: Final = asyncio.Semaphore(_CALLS_AT_ONCE)
        self._asking: Final = asyncio.Lock()
        self._identity: str | None = None
        self._is_known = False
        self._asked = -_KNOWN_FOR
        self._silent: Final[dict[tuple[str, int], _Silence]] = {}

    async def demand_own(self, projection: str, parts: Sequence[Part[Any]]) -> None:
        """Raises ReadModelUnavailable for parts that were folded from another event store, which was here before.

        Their positions mean nothing in this one. A store that does not say who it is may be the right one.
        """
        read = time.monotonic()
        stores = {part.generation.store for part in parts}
        if not await self._may_be(stores, read - _KNOWN_FOR) and not await self._may_be(stores, read):
            raise ReadModelUnavailable(projection, "it was folded from another event store than the one that is there")

    def is_known_at(self, projection: Projection[Any], part: Part[Any], at_least: int) -> bool:
        """Whether the part was found to be the state at that position before: then nobody has to be asked."""
        silence = self._silent.get((projection.name, part.partition))
        return (
            silence is not None
            and (silence.generation, silence.checkpoint) == (part.generation, part.checkpoint)
            and silence.up_to >= at_least
        )

    async def not_at(
        self, projection: Projection[Any], parts: Sequence[Part[T]], at_least: int, seconds: float
    ) -> Sequence[Part[T]]:
        """Those parts that can't be said to be the state at that position: all, where the store does not tell."""
        try:
            async with self._call(seconds):
                end = await self._client.get_commit_position(filter_exclude=[], timeout=seconds)
                raise_if_cancelled()
        except StoreUnavailable:
            return parts
        if end < at_least:
            return parts
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(self._silent_up_to(projection, part, end, seconds)) for part in parts]
        return [part for part, silent in zip(parts, asked, strict=True) if silent.result() < at_least]

    async def _silent_up_to(self, projection: Projection[Any], part: Part[Any], end: int, seconds: float) -> int:
        """Up to where the partition has no event after the part's checkpoint: at most to where the log ended."""
        try:
            async with self._call(seconds):
                positions = await self._next_positions(projection, part, seconds)
        except StoreUnavailable:
            return part.position
        up_to = min([end, *(position - 1 for position in positions if position > part.position)])
        self._silent[projection.name, part.partition] = _Silence(part.generation, part.checkpoint, up_to)
        return up_to

    async def _next_positions(self, projection: Projection[Any], part: Part[Any], seconds: float) -> list[int]:
        """Where the partition goes on. Two events are enough: the first may be the one at the checkpoint itself.

        The client asks the leader: a follower of a cluster may not have the event yet.
        """
        response = await self._client.read_all(
            commit_position=part.checkpoint,
            filter_include=(partition_pattern(projection.category, part.partition, part.generation.partitions),),
            filter_by_stream_name=True,
            limit=2,
            timeout=seconds,
        )
        async with response:
            positions = [event.commit_position or 0 async for event in response]
            if await response.aio_call.code() is not grpc.StatusCode.OK:  # a cut connection looks like the end
                raise_if_cancelled()
                raise StoreUnavailable(address_of(self._client), "the connection was closed during a read")
        return positions

    async def _may_be(self, stores: set[str], since: float) -> bool:
        """Whether the store, as it was at that time or later, can be the one that all of these are."""
        async with self._asking:
            if self._asked < since:
                now = time.monotonic()
                await self._identify()
                self._asked = now
            return not self._is_known or stores <= {self._identity}

    async def _identify(self) -> None:
        self._is_known = False
        try:
            async with self._call(_IDENTITY_SECONDS):
                self._identity = await known_identity(self._client, _IDENTITY_SECONDS)
        except EventStoreError:
            return
        self._is_known = True

    @asynccontextmanager
    async def _call(self, seconds: float) -> AsyncIterator[None]:
        async with bounded(self._client, seconds=seconds), self._slots:
            yield
