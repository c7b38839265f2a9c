"""A gate that lets many in together, or one alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final


class Gate:
    """Who waits to be alone keeps those who come later out until it has been."""

    def __init__(self) -> None:
        self._entrance: Final = asyncio.Lock()
        self._empty: Final = asyncio.Event()
        self._empty.set()
        self._inside = 0

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Inside together with others."""
        async with self._entrance:
            self._inside += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Inside once all others are out; nobody comes in meanwhile."""
        async with self._entrance:
            await self._empty.wait()
            yield
