"""A bound on concurrent requests with a bounded queue; a request that finds the queue full is refused at once."""

import asyncio
from types import TracebackType

from service.http.problems import Problem


class Gate:
    """Admits `at_once` requests; `waiting` more wait up to `seconds` for their turn. Others: Problem `overloaded`."""

    def __init__(self, at_once: int, waiting: int = 0, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._places = at_once + waiting
        self._turns = asyncio.Semaphore(at_once)
        self._inside = 0

    @property
    def is_full(self) -> bool:
        """Whether no further request may even wait."""
        return self._inside >= self._places

    def refusal(self) -> Problem:
        """The refusal of a request that finds it full."""
        return Problem("overloaded", f"{self._inside} requests of this kind are being worked on; come back later.")

    async def __aenter__(self) -> None:
        if self.is_full:
            raise self.refusal()
        self._inside += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            self._inside -= 1
            raise Problem("overloaded", f"Its turn did not come within {self._seconds} s; come back later.") from error
        except BaseException:
            self._inside -= 1
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._inside -= 1
        self._turns.release()
