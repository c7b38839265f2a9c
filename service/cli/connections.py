"""Connections to the event store for one verb, closed at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infrastructure.eventstore.client import CommandClient, command_client
from infrastructure.eventstore.streams import CALL_SECONDS, Streams
from service.history.sources import CODEC


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[CommandClient]:
    """A client of the store, closed at the end."""
    client = await command_client(uri)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def streams_of(client: CommandClient, patience: float = CALL_SECONDS) -> AsyncIterator[Streams]:
    """The streams of a store; a call ends within so many seconds."""
    streams = Streams(client, CODEC, patience=patience)
    try:
        yield streams
    finally:
        await streams.close()
