"""Single calls of the sweep: bounded, complete, and all that goes wrong in our words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from esdbclient import AsyncEventStoreDBClient
from esdbclient.exceptions import EventStoreDBClientException, NotFound, WrongCurrentVersion

from infrastructure.eventstore.client import address_of, bounded
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
