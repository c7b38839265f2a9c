"""What the tests of appends say often: an event of one's own, and what became of it."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from esdbclient import AsyncEventStoreDBClient, NewEvent

from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.errors import EventStoreError


def noted(text: str = "") -> NewEvent:
    """An event that nobody else has."""
    return NewEvent(type="Noted", data=b'{"text": "%s"}' % text.encode(), metadata=b"{}")


def new_stream() -> str:
    return f"note-{uuid4()}"


def sent(append: Coroutine[Any, Any, Appended]) -> "asyncio.Task[Appended | EventStoreError]":
    """An append on its way; it ends in what it was answered, or in the error that its caller got."""
    return asyncio.create_task(_outcome(append))


async def _outcome(append: Coroutine[Any, Any, Appended]) -> Appended | EventStoreError:
    try:
        return await append
    except EventStoreError as error:
        return error


async def ids_in(client: AsyncEventStoreDBClient, stream: str) -> list[UUID]:
    """The ids of all events of a stream."""
    return [event.id for event in await client.get_stream(stream, timeout=5.0)]


@contextmanager
def seconds_of_the_loop() -> Iterator[list[float]]:
    """One number in a list: how long the block took."""
    began, taken = asyncio.get_running_loop().time(), [0.0]
    yield taken
    taken[0] = asyncio.get_running_loop().time() - began
