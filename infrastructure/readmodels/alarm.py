"""A time to wake up at that others may bring forward."""

import asyncio
import math
import time
from contextlib import suppress


class Alarm:
    """One task waits for it; it is not set at first, and not after it has rung."""

    def __init__(self) -> None:
        self._at = math.inf
        self._brought_forward = asyncio.Event()

    def within(self, seconds: float) -> None:
        """It rings after so many seconds at the latest."""
        if (at := time.monotonic() + seconds) < self._at:
            self._at = at
            self._brought_forward.set()

    async def rings(self) -> None:
        """Returns when the time has come."""
        while (left := self._at - time.monotonic()) > 0:
            self._brought_forward.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if left == math.inf else left):
                    await self._brought_forward.wait()
        self._at = math.inf
