"""What is known of revoked tokens in this process, brought up to date in the background."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from infrastructure.access.revocations import NOTHING_REVOKED, Revocations, recorded_revocations
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.readmodels.act_readers import ActReads
from service.http.connections import Connections

_PAUSE: Final = 0.25  # seconds; a read is made once a second
_PATIENCE: Final = 2.0  # seconds that the first read may take before it is told of
_log: Final = structlog.stdlib.get_logger("foldstream.http")


class RevokedTokens:
    """While the event store is away what was read stays known; before it was ever read nothing is.

    So an API that starts without its store answers queries: whoever presents a revoked token then can read rows, and
    change nothing.
    """

    def __init__(self, connections: Connections, clock: Callable[[], float] = time.time) -> None:
        self._connections: Final = connections
        self._recorded: Final = recorded_revocations(clock)
        self._reads: ActReads[Revocations] | None = None
        self._read: Final = asyncio.Event()
        self._told = False

    def known(self) -> Revocations:
        """What is revoked, as far as it was read."""
        return self._recorded.known or NOTHING_REVOKED

    async def wait_for_first_read(self) -> None:
        """Until it was read once."""
        await self._read.wait()

    async def follow(self) -> None:
        """Reads it each second; never ends."""
        begun = time.monotonic()
        while not await self._look():
            if not self._told and time.monotonic() - begun > _PATIENCE:
                self._told = True
                _log.warning("revocations_unread", consequence="tokens count as not revoked until that was read")
            await asyncio.sleep(_PAUSE)
        self._read.set()
        if self._told:
            _log.info("revocations_read")
        while True:
            await asyncio.sleep(_PAUSE)
            await self._look()

    async def _look(self) -> bool:
        """Whether anything is known after it."""
        try:
            self._reads = self._reads or ActReads(self._connections.log, self._recorded)
        except StoreUnavailable:
            return False
        return await self._reads.known() is not None
