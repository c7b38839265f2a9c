"""Keeps loaded aggregates in memory, and lets the commands of one aggregate take turns."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.eventstore.errors import Overloaded


@dataclass(slots=True)
class _Place:
    """An aggregate, whose turn it is, and how many have it or wait for it."""

    stream: str
    aggregate: Aggregate[Any]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Cache:
    """Aggregates by their streams; of those that nobody uses the `limit` that were used last are kept.

    Up to `queued` wait for their turn at one aggregate, for so many `seconds`.
    """

    def __init__(self, limit: int, queued: int, seconds: float) -> None:
        self._limit: Final = limit
        self._bounds: Final = queued, seconds
        self._places: Final[OrderedDict[str, _Place]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def turn(self, stream: str, make: Callable[[], Aggregate[Any]]) -> "_Turn":
        """Gives the aggregate, as it was left or made now, to one at a time, in the order in which they came.

        Entering it raises Overloaded where too many wait already, or the turn does not come in time.
        """
        place = self._places.get(stream)
        if place is None:
            place = self._places[stream] = _Place(stream, make())
        return _Turn(self, place, *self._bounds)

    def leave(self, place: _Place) -> None:
        """Keeps the aggregate that nobody uses any more, in place of the one whose last use is longest ago."""
        if place.users:
            return
        if place.aggregate.version == -1:  # nothing there, so nothing to remember
            del self._places[place.stream]
            return
        self._places.move_to_end(place.stream)
        if len(self._places) > self._limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Those in use are passed by; there are as many of them at most as there are commands at once."""
        surplus = len(self._places) - self._limit
        idle = (stream for stream, place in self._places.items() if not place.users)
        for stream in [stream for stream, _ in zip(idle, range(surplus), strict=False)]:
            del self._places[stream]


class _Turn:
    """A class, since every command takes one: a generator's context costs three times as much."""

    def __init__(self, cache: Cache, place: _Place, queued: int, seconds: float) -> None:
        self._cache = cache
        self._place = place
        self._queued = queued
        self._seconds = seconds

    async def __aenter__(self) -> Aggregate[Any]:
        place = self._place
        if place.users > self._queued:
            raise Overloaded(place.stream, place.users)
        place.users += 1
        try:
            await self._acquire()
        except BaseException:
            place.users -= 1
            self._cache.leave(place)
            raise
        return place.aggregate

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._place.turn.release()
        self._place.users -= 1
        self._cache.leave(self._place)

    async def _acquire(self) -> None:
        place = self._place
        if place.users == 1:
            await place.turn.acquire()
            return
        try:
            async with asyncio.timeout(self._seconds):
                await place.turn.acquire()
        except TimeoutError as error:
            raise Overloaded(place.stream, place.users) from error
