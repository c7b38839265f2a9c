"""Keeps loaded aggregates in memory, and lets the commands of one aggregate take turns."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.eventstore.errors import Overloaded


@dataclass(slots=True)
class _Place:
    """An aggregate, whose turn it is, and how many have it or wait for it."""

    aggregate: Aggregate[Any]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Cache:
    """Aggregates by their streams; of those that nobody uses the `limit` that were used last are kept."""

    def __init__(self, limit: int) -> None:
        self._limit: Final = limit
        self._places: Final[OrderedDict[str, _Place]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    @asynccontextmanager
    async def turn(
        self, stream: str, make: Callable[[], Aggregate[Any]], seconds: float
    ) -> AsyncIterator[Aggregate[Any]]:
        """The aggregate, as it was left or made now, for one at a time, in the order in which they came.

        Raises Overloaded where the turn does not come within so many seconds.
        """
        place = self._places.get(stream)
        if place is None:
            place = self._places[stream] = _Place(make())
        place.users += 1
        try:
            await _acquire(place, stream, seconds)
            try:
                yield place.aggregate
            finally:
                place.turn.release()
        finally:
            place.users -= 1
            self._leave(stream, place)

    def _leave(self, stream: str, place: _Place) -> None:
        if place.users:
            return
        if place.aggregate.version == -1:  # nothing there, so nothing to remember
            del self._places[stream]
            return
        self._places.move_to_end(stream)
        if len(self._places) > self._limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Those in use are passed by; there are as many of them at most as there are commands at once."""
        surplus = len(self._places) - self._limit
        idle = (stream for stream, place in self._places.items() if not place.users)
        for stream in [stream for stream, _ in zip(idle, range(surplus), strict=False)]:
            del self._places[stream]


async def _acquire(place: _Place, stream: str, seconds: float) -> None:
    if place.users == 1:
        await place.turn.acquire()
        return
    try:
        async with asyncio.timeout(seconds):
            await place.turn.acquire()
    except TimeoutError as error:
        raise Overloaded(stream, place.users) from error
