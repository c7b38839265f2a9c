"""A saga's consumer at work in a test, and what to wait for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from esdbclient import AsyncEventStoreDBClient
from esdbclient.exceptions import GrpcError

from domain.message import Recorded
from infrastructure.commands.handler import CommandHandler
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.errand import (
    Errands,
)
from tests.support.polling import poll_until_async

ROOT = Path(__file__).parents[3]
SECONDS = 20.0


class GatedCoordinator(SagaCoordinator):
    """Lets nobody through before the gate opens, and remembers who came, and how many were inside at once."""

    def __init__(self, errands: Errands, client: AsyncEventStoreDBClient) -> None:
        super().__init__(errands.saga, errands.route, CommandHandler(client, errands.codec), errands.codec)
        self.gate = asyncio.Event()
        self.came: list[UUID] = []
        self.inside: Counter[str] = Counter()
        self.most = 0
        self.most_of_one = 0

    async def react(self, message: Recorded[Any]) -> None:
        self.came.append(message.id)
        stream = self.stream_of(message)
        self.inside[stream] += 1
        self.most = max(self.most, self.inside.total())
        self.most_of_one = max(self.most_of_one, self.inside[stream])
        try:
            await self.gate.wait()
            await super().react(message)
        finally:
            self.inside[stream] -= 1


@asynccontextmanager
async def consuming(
    uri: str,
    errands: Errands,
    options: ConsumerOptions = ConsumerOptions(),  # noqa: B008 - frozen
    coordinator: SagaCoordinator | None = None,
) -> AsyncIterator[asyncio.Task[None]]:
    """One consumer at work, stopped at the end."""
    stop = asyncio.Event()
    async with connected(uri) as client, connected(uri) as own:
        reacting = coordinator or errands.coordinator(client)
        task = asyncio.create_task(consume_saga(reacting, own, errands.group, stop, options))
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), SECONDS)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Asks the store again and again, until it says so; it may be away for a while."""
    await poll_until_async(lambda: _said(condition), SECONDS, what="what the store was asked for")


async def _said(condition: Callable[[], Awaitable[bool]]) -> bool:
    with suppress(GrpcError):
        return await condition()
    return False


def here(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """A condition of this process, asked for while its event loop runs on."""

    async def asked() -> bool:
        return condition()

    return asked


async def until_done(client: AsyncEventStoreDBClient, message: Recorded[Any], events: int) -> None:
    """Waits until the message's saga has recorded so many events."""
    stream = f"errand-{message.event.errand_id}"

    async def done() -> bool:
        return await client.get_current_version(stream, timeout=5.0) == events - 1

    await until(done)


async def parked(client: AsyncEventStoreDBClient, errands: Errands, number: int) -> None:
    async def condition() -> bool:
        return (await client.get_subscription_info(errands.group, timeout=5.0)).parked_message_count == number

    await until(condition)
