"""What the tests of appends say often: an event of one's own, and what became of it."""

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.commands.stories import stored


def noted(text: str = "") -> NewRecord:
    """An event that nobody else has: it says the text, or something of its own."""
    return NewRecord("Noted", b'{"text": "%s"}' % (text or str(uuid4())).encode(), b"{}")


def new_stream() -> str:
    return f"note-{uuid4()}"


def at(version: int, position: int | None) -> Appended:
    """What the store answers to an append, as `sent` ends."""
    return Appended(version, position, ())


def sent(append: Coroutine[Any, Any, Appended]) -> "asyncio.Task[Appended | EventStoreError]":
    """An append on its way; it ends in what the store answered, or in the error that its caller got."""
    return asyncio.create_task(_outcome(append))


async def _outcome(append: Coroutine[Any, Any, Appended]) -> Appended | EventStoreError:
    try:
        return (await append)._replace(event_ids=())  # which the store does not say
    except EventStoreError as error:
        return error


async def texts_in(client: CommandClient, stream: str) -> list[bytes]:
    """What all events of a stream say."""
    return [record.data for record in await stored(client, stream)]


@contextmanager
def seconds_of_the_loop() -> Iterator[list[float]]:
    """One number in a list: how long the block took."""
    began, taken = asyncio.get_running_loop().time(), [0.0]
    yield taken
    taken[0] = asyncio.get_running_loop().time() - began


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
