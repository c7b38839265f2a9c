"""A bound on concurrent requests with a bounded queue, shared fairly by tenants; who finds it full is refused."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from service.http.problems import Problem

_Turn = asyncio.Future[None]


class Gate:
    """Admits `at_once` requests; `waiting` more wait for their turn. Others: Problem `overloaded`.

    One tenant may fill it, where it is alone. Then another one is let in all the same, up to its share: as many places
    as there would be for each of the tenants inside. So up to twice as many may be inside as there are places. Those
    that wait get their turns by tenants, one after the other, whoever came first, and are refused after `seconds`.
    Where there are no such, nobody waits: the share is worked on at once.
    """

    def __init__(self, at_once: int, waiting: int = 0, seconds: float | None = None) -> None:
        self._seconds: Final = seconds
        self._places: Final = at_once + waiting
        self._has_turns: Final = seconds is not None
        self._free = at_once
        self._inside: Final = Counter[str]()
        self._queues: Final[dict[str, deque[_Turn]]] = {}  # the tenant whose turn comes next is the first

    @property
    def inside(self) -> int:
        """How many it has let in, those that wait for their turn among them."""
        return self._inside.total()

    def is_full_for(self, tenant: str) -> bool:
        """Whether no further request of the tenant may even wait."""
        inside = self.inside
        if inside < self._places:
            return False
        share = max(1, self._places // len({*self._inside, tenant}))
        return inside >= 2 * self._places or self._inside[tenant] >= share

    def refusal(self, tenant: str) -> Problem:
        """The refusal of a request of the tenant that finds it full."""
        inside = self._inside[tenant]
        return Problem("overloaded", f"{inside} requests of this kind are being worked on; come back later.")

    @asynccontextmanager
    async def place(self, tenant: str) -> AsyncIterator[None]:
        """A place inside for a request of the tenant, once its turn has come. Raises Problem `overloaded`."""
        if self.is_full_for(tenant):
            raise self.refusal(tenant)
        self._inside[tenant] += 1
        try:
            await self._take_turn(tenant)
            try:
                yield
            finally:
                self._pass_on()
        finally:
            self._inside[tenant] -= 1
            if not self._inside[tenant]:
                del self._inside[tenant]

    async def _take_turn(self, tenant: str) -> None:
        if not self._has_turns or self._free > 0:
            self._free -= 1
            return
        try:
            async with asyncio.timeout(self._seconds):
                await self._wait(tenant)
        except TimeoutError as error:
            raise Problem("overloaded", f"Its turn did not come within {self._seconds} s; come back later.") from error

    async def _wait(self, tenant: str) -> None:
        turn: _Turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(tenant, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just come
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Gives the turn to the tenant that has waited for longest for one, which comes last then.

        Who waits no more is passed over.
        """
        while self._queues:
            tenant = next(iter(self._queues))
            queue = self._queues.pop(tenant)
            turn = queue.popleft()
            if queue:
                self._queues[tenant] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
