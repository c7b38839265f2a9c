"""Writes what a group's engine wants kept, in the background and in order."""

import asyncio
from collections.abc import Callable

import structlog

from infrastructure.embedded.eventstoredb.errors import LogError
from infrastructure.embedded.eventstoredb.groups.effects import Park
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.system_streams import CheckpointStream, ParkedStream

ATTEMPTS = 5
PAUSE = 0.2
logger = structlog.get_logger()


class BackgroundWriter:
    """Parked messages before checkpoints; of several checkpoints that wait, only the newest counts."""

    def __init__(
        self, parked: ParkedStream, checkpoints: CheckpointStream, on_parked: Callable[[list[Message], bool], None]
    ) -> None:
        """`on_parked` is called with messages to park, and whether they were written."""
        self._parked, self._checkpoints, self._on_parked = parked, checkpoints, on_parked
        self._parks: list[Park] = []
        self._checkpoint: int | None = None
        self._wanted, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    def park(self, park: Park) -> None:
        self._parks.append(park)
        self._want()

    def checkpoint(self, position: int) -> None:
        self._checkpoint = position
        self._want()

    async def finished(self, seconds: float) -> bool:
        """Whether all was written within this time."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._write_parks()
            await self._write_checkpoint()
            if not self._wanted.is_set():
                self._idle.set()

    def _want(self) -> None:
        self._idle.clear()
        self._wanted.set()

    async def _write_parks(self) -> None:
        parks, self._parks = self._parks, []
        if not parks:
            return
        written = await self._try_to_park(parks)
        if not written:
            logger.error("messages_not_parked", stream=self._parked.name, count=len(parks))
        self._on_parked([park.message for park in parks], written)

    async def _try_to_park(self, parks: list[Park]) -> bool:
        for attempt in range(ATTEMPTS):
            try:
                await self._parked.write(parks)
            except LogError as error:
                logger.warning("parking_failed", stream=self._parked.name, attempt=attempt, error=str(error))
                await asyncio.sleep(PAUSE * attempt)
            else:
                return True
        return False

    async def _write_checkpoint(self) -> None:
        position, self._checkpoint = self._checkpoint, None
        if position is None:
            return
        try:
            await self._checkpoints.write(position)
        except LogError as error:  # the next checkpoint says more anyway
            logger.warning("checkpoint_failed", stream=self._checkpoints.name, error=str(error))
