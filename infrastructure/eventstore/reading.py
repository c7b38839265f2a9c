"""Reads and appends single streams, with every call bounded and every failure named."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
from esdbclient import AsyncEventStoreDBClient, AsyncReadResponse, NewEvent, StreamState
from esdbclient.exceptions import (
    AccessDeniedError,
    BadRequestError,
    InvalidTransactionError,
    MaximumAppendSizeExceededError,
    NotFound,
    StreamIsDeleted,
    WrongCurrentVersion,
)

from domain.message import Recorded
from infrastructure.eventstore.client import address_of, bounded, raise_if_cancelled
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import AppendRefused, RaceLost, StoreUnavailable, StreamGone

PAGE: Final = 500
CALL_SECONDS: Final = 2.5
CALLS_AT_ONCE: Final = 64  # of the 100 that fit on the client's connection
_REFUSALS: Final = (AccessDeniedError, BadRequestError, InvalidTransactionError, MaximumAppendSizeExceededError)


class Streams:
    """Single streams through one client. A call ends within `patience` seconds, one way or the other.

    At most `calls_at_once` are made together; the others wait, within their seconds.
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

    async def page(self, stream: str, first: int, limit: int = PAGE) -> list[Recorded[Any]] | None:
        """What is visible from version `first` on, up to `limit` records; None where there is no such stream.

        An empty page is the end of the stream, or that of a stream all of which was truncated away.
        Raises StoreUnavailable, StreamGone, UnknownEventType, UnknownEventVersion, UnreadableEvent.
        """
        try:
            async with self._call():
                response = await self._client.read_stream(
                    stream, stream_position=first, limit=limit, timeout=self._patience
                )
                return await self._decoded(response)
        except NotFound:
            return None
        except StreamIsDeleted as error:
            raise StreamGone(stream) from error

    async def append(self, stream: str, version: int, events: Sequence[NewEvent]) -> None:
        """Appends to a stream that ends at `version`, or to none where that is -1.

        Raises RaceLost, StoreUnavailable (it may have happened), StreamGone, AppendRefused.
        """
        expected = version if version >= 0 else StreamState.NO_STREAM
        try:
            async with self._call():
                await self._client.append_to_stream(
                    stream, current_version=expected, events=events, timeout=self._patience
                )
        except WrongCurrentVersion as error:
            raise RaceLost(stream, _current_version(error)) from error
        except StreamIsDeleted as error:
            raise StreamGone(stream) from error
        except _REFUSALS as error:
            raise AppendRefused(stream, f"{type(error).__name__} {error}".strip()) from error

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        async with bounded(self._client, seconds=self._patience), self._slots:
            yield

    async def _decoded(self, response: AsyncReadResponse) -> list[Recorded[Any]]:
        try:
            page = [event async for recorded in response for event in self._codec.events_in(recorded)]
            if await response.aio_call.code() is not grpc.StatusCode.OK:
                # the iterator of a call that was cancelled ends like that of one which is complete
                raise_if_cancelled()
                raise StoreUnavailable(address_of(self._client), "the connection was closed during a read")
        finally:
            await response.stop()
        return page


def _current_version(error: WrongCurrentVersion) -> int | None:
    """The client gives the version only in words: `Stream position of last event is 7 not 3`."""
    found = re.search(r"last event is (\d+)", str(error))
    return int(found[1]) if found else None
