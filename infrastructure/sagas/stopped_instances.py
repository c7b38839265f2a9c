"""Finds the instances that have stopped, by reading the engine's notes in the log once and then what is new."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from domain.engine_events import SagaResumed, SagaStopped
from domain.stream_name import StreamName
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record

_PATTERN: Final = "(?:" + "|".join(sorted(SagaStopped.stored_names() | SagaResumed.stored_names())) + ")"
_PAGE: Final = 500
_SCAN_SECONDS: Final = 120.0  # the first time, the server reads the whole log
_PATIENCE: Final = 0.5


class StoppedInstances:
    """Those of one log. What is new is read off the caller's path, from where the last look ended."""

    def __init__(self, log: Log) -> None:
        self._log: Final = log
        self._position: int | None = None
        self._streams: Final[dict[str, dict[str, None]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def look(self) -> Mapping[str, list[str]]:
        """The streams of the instances that are known to have stopped, by saga; those that stopped first come first.

        It waits for what is new for half a second at most.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="look for stopped sagas")
        await asyncio.wait({self._reading}, timeout=_PATIENCE)
        return {saga: list(streams) for saga, streams in self._streams.items() if streams}

    async def close(self) -> None:
        """Ends what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        with suppress(StoreUnavailable):  # the next look goes on from there; others say that the store is away
            end = await self._log.end()
            if self._position is not None and end < self._position:  # an older copy of the store was put back
                self._position = None
                self._streams.clear()
            while await self._read_page():
                pass
            self._position = max(end, self._position or 0) or None

    async def _read_page(self) -> bool:
        """Whether there may be more. The record at the position is read again, which changes nothing."""
        page = await self._log.of_types(_PATTERN, self._position, _PAGE, _SCAN_SECONDS)
        for record in page:
            self._take(record)
        self._position = page[-1].position if page else self._position
        return len(page) == _PAGE

    def _take(self, record: Record) -> None:
        with suppress(ValueError):  # somebody else's, in a stream of no saga
            streams = self._streams.setdefault(StreamName.parse(record.stream).category, {})
            if record.type in SagaResumed.stored_names():
                streams.pop(record.stream, None)
            else:
                streams.setdefault(record.stream)
