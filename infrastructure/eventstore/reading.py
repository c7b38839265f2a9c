"""Reads and appends single streams, with every call bounded and every failure named."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from esdbclient import AsyncEventStoreDBClient, NewEvent, RecordedEvent
from esdbclient.exceptions import NotFound, StreamIsDeleted

from domain.message import Recorded
from infrastructure.eventstore.appending import Appended, Appender
from infrastructure.eventstore.client import bounded, complete, connection_of, raise_if_cancelled
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import StreamGone

PAGE: Final = 500
CALL_SECONDS: Final = 2.5
CALLS_AT_ONCE: Final = 64  # of the 100 that fit on the client's connection


class Streams:
    """Single streams through one client. A call ends within `patience` seconds, one way or the other.

    At most `calls_at_once` are made together; the others wait, within their seconds. Appends share one more, which
    stays open.
    """

    def __init__(
        self,
        client: AsyncEventStoreDBClient,
        codec: EventCodec,
        *,
        patience: float = CALL_SECONDS,
        calls_at_once: int = CALLS_AT_ONCE,
    ) -> None:
        self._client: Final = client
        self._codec: Final = codec
        self._patience: Final = patience
        self._slots: Final = asyncio.Semaphore(calls_at_once)
        self._appender: Final = Appender(client, seconds=patience)

    async def page(self, stream: str, first: int, limit: int = PAGE) -> list[Recorded[Any]] | None:
        """What is visible from version `first` on, up to `limit` records; None where there is no such stream.

        An empty page is the end of the stream, or that of a stream all of which was truncated away.
        Raises StoreUnavailable, StreamGone, UnknownEventType, UnknownEventVersion, UnreadableEvent.
        """
        records = await self.records(stream, first, limit)
        return None if records is None else [event for each in records for event in self._codec.events_in(each)]

    async def records(
        self, stream: str, first: int | None, limit: int, *, backwards: bool = False
    ) -> list[RecordedEvent] | None:
        """The same as they are stored; backwards they are read from `first` on, or from the end where that is None.

        Raises StoreUnavailable, StreamGone.
        """
        try:
            async with self._call():
                response = await self._client.read_stream(
                    stream, stream_position=first, backwards=backwards, limit=limit, timeout=self._patience
                )
                return await complete(self._client, response)
        except NotFound:
            return None
        except StreamIsDeleted as error:
            raise StreamGone(stream) from error

    async def end(self) -> int:
        """The position of the last record of the whole log, 0 where there is none. Raises StoreUnavailable."""
        async with self._call():
            position: int = await self._client.get_commit_position(filter_exclude=(), timeout=self._patience)
            raise_if_cancelled()  # a call that is cut short says 0, as if nothing were there
        return position

    async def append(self, stream: str, version: int, events: Sequence[NewEvent]) -> Appended:
        """Appends to a stream that ends at `version`, or to none where that is -1.

        Raises RaceLost, StoreUnavailable (it may have happened), Overloaded, StreamGone, AppendRefused.
        """
        return await self._appender.append(stream, version, events)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        connection_of(self._client)
        async with bounded(self._client, seconds=self._patience), self._slots:
            yield
