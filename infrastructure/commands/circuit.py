"""Keeps a process from trying an event store that is known to be away, and finds out when it is there again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final, NamedTuple

import structlog

from infrastructure.eventstore.client import CommandClient, address_of
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.write_probe import WriteProbe
from infrastructure.outages import Outage

_BETWEEN: Final = 0.25  # seconds from one probe to the next
_PARTY: Final = "probe"  # under whose name an outage is noted
_logger: Final = structlog.get_logger(__name__)


class Fault(NamedTuple):
    """Why the store takes no appends, and whether it can be read all the same."""

    reason: str
    can_be_read: bool = False


class Circuit:
    """Whoever finds the store away makes it suspect; from then on it is probed until that succeeds.

    One that has been suspect for `patience` seconds is known to be away: so long a hiccup is ridden through, and after
    it nobody waits for what others have waited for in vain. `probe` says what is wrong with the store, None where it
    takes appends; it ends by itself. `outage` is told when the store is known to be away, and when it is back.
    """

    def __init__(
        self,
        address: str,
        probe: Callable[[], Awaitable[Fault | None]],
        patience: float,
        outage: Outage,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._address: Final = address
        self._probe: Final = probe
        self.patience: Final = patience
        self._outage: Final = outage
        self._clock: Final = clock
        self._since: float | None = None
        self._fault: Fault | None = None
        self._closed: Final = asyncio.Event()
        self._closed.set()
        self._unreadable: Final = asyncio.Event()
        self._probing: asyncio.Task[None] | None = None
        self._has_ended = False

    @property
    def is_open(self) -> bool:
        """Whether the store is known to be away."""
        return self._since is not None and self._fault is not None and self._clock() - self._since >= self.patience

    def suspect(self) -> None:
        """Somebody could not use the store."""
        if self._since is None and not self._has_ended:
            self._since = self._clock()
            self._closed.clear()
            self._probing = asyncio.create_task(self._search(), name="probe the event store")
            self._probing.add_done_callback(self._forget)

    def require_closed(self) -> None:
        """Raises StoreUnavailable, at once, where the store is known to be away, or to take no appends."""
        if self.is_open:
            raise self._found_away()

    def require_readable(self) -> None:
        """Raises StoreUnavailable, at once, where the store is known to be away; one without room can be read."""
        if self.is_open and self._fault is not None and not self._fault.can_be_read:
            raise self._found_away()

    async def until_unreadable(self) -> None:
        """Returns once the store is known to be away, so that nobody goes on waiting for it."""
        await self._unreadable.wait()

    async def until_closed(self) -> None:
        """Returns once the store is there, at once where nobody suspects it."""
        await self._closed.wait()

    async def close(self) -> None:
        """Ends the probing, for good."""
        self._has_ended = True
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    async def _search(self) -> None:
        while (fault := await self._probe()) is not None:
            self._fault = fault
            if self.is_open:
                self._tell(fault)
            await asyncio.sleep(_BETWEEN)

    def _tell(self, fault: Fault) -> None:
        if not self._outage.is_missed_by(_PARTY):
            self._outage.failed(_PARTY, str(self._found_away()))
        if fault.can_be_read:
            self._unreadable.clear()
        else:
            self._unreadable.set()

    def _found_away(self) -> StoreUnavailable:
        reason = "it has not been probed yet" if self._fault is None else self._fault.reason
        return StoreUnavailable(self._address, f"it was found away: {reason}")

    def _forget(self, probing: asyncio.Task[None]) -> None:
        """Nobody is refused any more: the store is there, or a bug of the probe has ended it, which is told."""
        self._since = self._fault = None
        self._outage.succeeded(_PARTY)
        self._unreadable.clear()
        self._closed.set()
        if not probing.cancelled() and (error := probing.exception()) is not None:
            _logger.error("store_probe_failed", exc_info=error)


@asynccontextmanager
async def circuit_at(client: CommandClient, patience: float, outage: Outage) -> AsyncIterator[Circuit]:
    """The circuit of a process that needs no more of the store than this client."""
    probe = WriteProbe(client)

    async def fault() -> Fault | None:
        reason = await probe.fault()
        return None if reason is None else Fault(reason)

    circuit = Circuit(address_of(client), fault, patience, outage)
    try:
        yield circuit
    finally:
        await circuit.close()
        await probe.close()
