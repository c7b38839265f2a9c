"""Says which event store a client's commands go to: asked again every half a second, since it may be another then."""

import asyncio
import time
from typing import Final

from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable
from infrastructure.eventstore.identity import known_or_given_identity
from infrastructure.eventstore.streams import Streams

_KNOWN_FOR: Final = 0.5  # seconds: no event store is replaced by another one faster


class CurrentStore:
    """The store behind these streams. It is given an identity where it has none: the first command may come first."""

    def __init__(self, streams: Streams) -> None:
        self._streams: Final = streams
        self._asking: Final = asyncio.Lock()
        self._identity: str | None = None
        self._asked = 0.0

    async def identity(self) -> str:
        """The store's id, as it was asked for half a second ago or later. Raises StoreUnavailable."""
        called = time.monotonic()
        async with self._asking:
            if self._identity is None or self._asked < called - _KNOWN_FOR:
                began = time.monotonic()
                self._identity = await self._ask()
                self._asked = began
            return self._identity

    async def _ask(self) -> str:
        try:
            return await known_or_given_identity(self._streams)
        except EventStoreError as error:
            raise StoreUnavailable(self._streams.address, f"its identity can't be told: {error}") from error
