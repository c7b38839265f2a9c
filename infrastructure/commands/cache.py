"""Keeps loaded aggregates in memory, and lets the commands of one aggregate take turns."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.commands.rivalry import Rivalry
from infrastructure.eventstore.errors import Overloaded


@dataclass(slots=True)
class _Entry:
    """An aggregate, its rivals, whose turn it is, and how many use it.

    Of those, `away` neither have the turn nor wait for it.
    """

    stream: str
    aggregate: Aggregate[Any]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    rivalry: Rivalry = field(default_factory=Rivalry)
    users: int = 0
    away: int = 0


class Cache:
    """Aggregates by their streams; of those that nobody uses the `limit` that were used last are kept.

    Up to `queued` wait for their turn at one aggregate, for so many `seconds`.
    """

    def __init__(self, limit: int, queued: int, seconds: float) -> None:
        self._limit: Final = limit
        self._bounds: Final = queued, seconds
        self._entries: Final[OrderedDict[str, _Entry]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def turn(self, stream: str, make: Callable[[], Aggregate[Any]]) -> "Turn":
        """Gives the aggregate, as it was left or made now, to one at a time, in the order in which they came.

        Entering it raises Overloaded where too many wait already, or the turn does not come in time.
        """
        entry = self._entries.get(stream)
        if entry is None:
            entry = self._entries[stream] = _Entry(stream, make())
        return Turn(self, entry, *self._bounds)

    def leave(self, entry: _Entry) -> None:
        """Keeps the aggregate that nobody uses any more, in place of the one whose last use is longest ago."""
        if entry.users:
            return
        if entry.aggregate.version == -1:  # nothing there, so nothing to remember
            del self._entries[entry.stream]
            return
        self._entries.move_to_end(entry.stream)
        if len(self._entries) > self._limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Those in use are passed by; there are as many of them at most as there are commands at once."""
        surplus = len(self._entries) - self._limit
        idle = (stream for stream, entry in self._entries.items() if not entry.users)
        for stream in [stream for stream, _ in zip(idle, range(surplus), strict=False)]:
            del self._entries[stream]


class Turn:
    """One use of an aggregate. A class, since a generator's context costs every command three times as much."""

    def __init__(self, cache: Cache, entry: _Entry, queued: int, seconds: float) -> None:
        self._cache = cache
        self._entry = entry
        self._queued = queued
        self._seconds = seconds
        self._is_held = False

    @property
    def rivalry(self) -> Rivalry:
        """What is known of other processes that append to its stream."""
        return self._entry.rivalry

    @property
    def waiting(self) -> int:
        """How many have the turn or wait for it."""
        return self._entry.users - self._entry.away

    async def __aenter__(self) -> Aggregate[Any]:
        entry = self._entry
        if entry.users - entry.away > self._queued:
            raise Overloaded(entry.stream, entry.users - entry.away)
        entry.users += 1
        try:
            await self._acquire()
        except BaseException:
            entry.users -= 1
            self._cache.leave(entry)
            raise
        return entry.aggregate

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._release()
        self._entry.users -= 1
        self._cache.leave(self._entry)

    @asynccontextmanager
    async def left(self) -> AsyncIterator[None]:
        """Others have their turns while the block lasts; the aggregate stays. After an error in it the turn is over.

        Raises Overloaded where the turn does not come again in time.
        """
        self._release()
        self._entry.away += 1
        try:
            yield
        finally:
            self._entry.away -= 1
        await self._acquire()

    def _release(self) -> None:
        if self._is_held:
            self._is_held = False
            self._entry.turn.release()

    async def _acquire(self) -> None:
        entry = self._entry
        if entry.users == 1:
            await entry.turn.acquire()
            self._is_held = True
            return
        try:
            async with asyncio.timeout(self._seconds):
                await entry.turn.acquire()
                self._is_held = True
        except TimeoutError as error:
            raise Overloaded(entry.stream, entry.users) from error
