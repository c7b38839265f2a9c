"""A look at a server that is made once for all who ask at about the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Final, Generic, TypeVar

FoundT = TypeVar("FoundT")


class SharedLook(Generic[FoundT]):
    """Who asks while a look is under way gets what it finds, and so does who asks within `fresh` seconds of its end."""

    def __init__(
        self, look: Callable[[], Coroutine[Any, Any, FoundT]], fresh: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._look: Final = look
        self._fresh: Final = fresh
        self._clock: Final = clock
        self._looking: asyncio.Task[FoundT] | None = None
        self._ended = 0.0

    async def found(self) -> FoundT:
        """What is found now, or was just found. Raises what the look raises."""
        if self._looking is None or (self._looking.done() and self._clock() - self._ended >= self._fresh):
            self._looking = asyncio.create_task(self._looked(), name="look for a server")
        return await asyncio.shield(self._looking)

    async def close(self) -> None:
        """Ends the look that is under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _looked(self) -> FoundT:
        try:
            return await self._look()
        finally:
            self._ended = self._clock()
