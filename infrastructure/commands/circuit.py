"""Refuses commands at once while the event store is known to be away, and finds out when it is there again."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

import structlog

from infrastructure.eventstore.errors import StoreUnavailable

_BETWEEN: Final = 0.25  # seconds from one probe to the next
_logger: Final = structlog.get_logger(__name__)


class Circuit:
    """A command that finds the store away makes it suspect; from then on it is probed until that succeeds.

    One that has been suspect for `patience` seconds is known to be away: so long a hiccup is ridden through, and after
    it nobody waits for what others have waited for in vain. `probe` says what is wrong with the store, None where it
    takes appends; it ends by itself.
    """

    def __init__(
        self,
        address: str,
        probe: Callable[[], Awaitable[str | None]],
        patience: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._address: Final = address
        self._probe: Final = probe
        self._patience: Final = patience
        self._clock: Final = clock
        self._since: float | None = None
        self._fault: str | None = None
        self._is_told = False
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the store is known to be away."""
        return self._since is not None and self._fault is not None and self._clock() - self._since >= self._patience

    def suspect(self) -> None:
        """A command could not use the store."""
        if self._since is None:
            self._since = self._clock()
            self._probing = asyncio.create_task(self._search(), name="probe the event store")
            self._probing.add_done_callback(self._forget)

    def require_closed(self) -> None:
        """Raises StoreUnavailable, at once, where the store is known to be away."""
        if not self.is_open:
            return
        if not self._is_told:
            self._is_told = True
            _logger.warning("commands_refused_at_once", reason=self._fault)
        raise StoreUnavailable(self._address, f"it was found away: {self._fault}")

    async def close(self) -> None:
        """Ends the probing."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    async def _search(self) -> None:
        while (fault := await self._probe()) is not None:
            self._fault = fault
            await asyncio.sleep(_BETWEEN)
        if self._is_told:
            _logger.info("commands_taken_again", seconds=round(self._clock() - (self._since or 0.0), 1))

    def _forget(self, probing: asyncio.Task[None]) -> None:
        """Nobody is refused any more: the store is there, or a bug of the probe has ended it, which is told."""
        self._since, self._fault, self._is_told = None, None, False
        if not probing.cancelled() and (error := probing.exception()) is not None:
            _logger.error("store_probe_failed", exc_info=error)
