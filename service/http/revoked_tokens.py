"""What is known of revoked tokens in this process, brought up to date in the background."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from infrastructure.access.revocations import NOTHING_REVOKED, Revocations, recorded_revocations
from infrastructure.readmodels.act_readers import ActReads
from service.http.connections import Connections

_PAUSE: Final = 0.25  # seconds; a read is made once a second
_COPIED_EVERY: Final = 2.0  # seconds: Redis may have lost the copy
_PATIENCE: Final = 2.0  # seconds that the first read may take before it is told of
_log: Final = structlog.stdlib.get_logger("foldstream.http")


class RevokedTokens:
    """While the event store is away what was read stays known. An API that starts without its store knows what those
    before it have left in Redis, where the rows are; where that is lost too, tokens count as not revoked, which is
    told.
    """

    def __init__(self, connections: Connections, clock: Callable[[], float] = time.time) -> None:
        self._connections: Final = connections
        self._recorded: Final = recorded_revocations(clock)
        self._read: Final = asyncio.Event()
        self._copied: Revocations | None = None
        self._left: Revocations | None = None
        self._left_at = 0.0
        self._told = False

    def known(self) -> Revocations:
        """What is revoked, as far as it was read, or left by others."""
        return self._recorded.known or self._copied or NOTHING_REVOKED

    async def wait_for_first_read(self) -> None:
        """Until it was read once, from the store or from what others have left."""
        await self._read.wait()

    async def follow(self) -> None:
        """Reads it each second; never ends."""
        telling = asyncio.get_running_loop().call_later(_PATIENCE, self._tell)
        try:
            await self._until_found()
            reads = ActReads(self._connections.log, self._recorded)
            while True:
                if (known := await reads.known()) is not None:
                    telling.cancel()
                    self._begin()
                    await self._leave(known)
                await asyncio.sleep(_PAUSE)
        finally:
            telling.cancel()

    async def _until_found(self) -> None:
        """Looks at what others have left, again and again, until the store was found."""
        finding = asyncio.create_task(self._connections.found.wait())
        try:
            while not finding.done():
                self._copied = await self._connections.revocation_copy.read() or self._copied
                if self._copied is not None:
                    self._read.set()
                await asyncio.wait({finding}, timeout=_PAUSE)
        finally:
            finding.cancel()

    async def _leave(self, known: Revocations) -> None:
        """Writes it where others find it, when it has changed and now and then."""
        now = time.monotonic()
        if (known != self._left or now - self._left_at >= _COPIED_EVERY) and (
            await self._connections.revocation_copy.write(known)
        ):
            self._left, self._left_at = known, now

    def _begin(self) -> None:
        self._read.set()
        if self._told:
            self._told = False
            _log.info("revocations_read")

    def _tell(self) -> None:
        self._told = True
        none = "tokens count as not revoked until that was read"
        consequence = none if self._copied is None else "what Redis has of them counts until that was read"
        _log.warning("revocations_unread", consequence=consequence)
