"""Looks at the event store: one at a time, for readiness, for the circuit, and for the end of an outage."""

import asyncio
from typing import Final

from infrastructure.commands.circuit import Circuit, Fault
from infrastructure.eventstore.appender import ANSWER_SECONDS
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.outages import Outage
from infrastructure.shared_look import SharedLook
from service.http.store_use import StoreUse

_READ_SECONDS: Final = 1.0
_FRESH: Final = 0.25  # seconds for which what was found counts: as long as the circuit waits between two probes


class StoreLooks:
    """`circuit` keeps all requests from a store that is known to be away. `end` is that of the log, as last seen.

    `reason` is what is wrong until the store was found, and is `using`.
    """

    def __init__(self, address: str, patience: float, outage: Outage) -> None:
        self.circuit: Final = Circuit(address, self._fault, patience, outage)
        self.end = 0
        self.reason = "it has not been looked for yet"
        self.using: StoreUse | None = None
        self._reading: Final = SharedLook(self._read, _FRESH)
        self._writing: Final = SharedLook(self._write, _FRESH)

    async def read_fault(self) -> str | None:
        """Why the event store can't be read now, None where it can. Takes about a second at most."""
        return await self._reading.found()

    async def write_fault(self) -> str | None:
        """Why the event store takes no appends now, None where it does. Takes some seconds at most."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._writing.found()
        except TimeoutError:
            return f"no answer within {ANSWER_SECONDS:g} s"

    async def close(self) -> None:
        """Ends the looks that are under way."""
        for each in (self.circuit, self._reading, self._writing):
            await each.close()

    async def _fault(self) -> Fault | None:
        if (reason := await self._writing.found()) is None:
            return None
        return Fault(reason, can_be_read=await self._reading.found() is None)

    async def _read(self) -> str | None:
        if self.using is None:
            return self.reason
        try:
            self.end = await Log(self.using.client).end(_READ_SECONDS)
        except StoreUnavailable as error:
            return error.reason
        return None

    async def _write(self) -> str | None:
        return self.reason if self.using is None else await self.using.write_probe.fault()
