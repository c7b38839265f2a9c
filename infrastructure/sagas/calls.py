"""Single calls of the sweep: bounded, complete, and all that goes wrong in our words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc
from esdbclient import AsyncEventStoreDBClient, AsyncReadResponse, RecordedEvent
from esdbclient.exceptions import EventStoreDBClientException, NotFound, WrongCurrentVersion

from infrastructure.eventstore.client import address_of, bounded, raise_if_cancelled
from infrastructure.eventstore.errors import StoreUnavailable

_ANSWERS: Final = (NotFound, WrongCurrentVersion)


@asynccontextmanager
async def called(client: AsyncEventStoreDBClient, *, seconds: float) -> AsyncIterator[None]:
    """Raises StoreUnavailable for whatever is not an answer, at the latest after so many seconds."""
    try:
        async with bounded(client, seconds=seconds):
            yield
    except _ANSWERS:
        raise
    except EventStoreDBClientException as error:
        raise StoreUnavailable(address_of(client), f"{type(error).__name__} {error}".strip()) from error


async def complete(client: AsyncEventStoreDBClient, response: AsyncReadResponse) -> list[RecordedEvent]:
    """All that a read has to say. Raises StoreUnavailable for one that was cut off, which ends as if it were whole."""
    try:
        events = [recorded async for recorded in response]
        if await response.aio_call.code() is not grpc.StatusCode.OK:
            raise_if_cancelled()
            raise StoreUnavailable(address_of(client), "the connection was closed during a read")
    finally:
        await response.stop()
    return events
