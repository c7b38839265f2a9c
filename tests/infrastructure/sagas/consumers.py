"""A saga's consumer at work in a test, and what to wait for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from domain.message import Recorded
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.sagas.errand import Errands
from tests.support.polling import poll_until_async

ROOT = Path(__file__).parents[3]
SECONDS = 20.0
T = TypeVar("T")


class GatedCoordinator(SagaCoordinator):
    """Lets nobody through before the gate opens, and remembers who came, and how many were inside at once."""

    def __init__(self, errands: Errands, client: CommandClient) -> None:
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


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Asks the store again and again, until it says so; it may be away for a while."""
    await poll_until_async(lambda: _is_met(condition), SECONDS, what=what)


async def _is_met(condition: Callable[[], Awaitable[bool]]) -> bool:
    with suppress(StoreUnavailable):
        return await condition()
    return False


def here(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """A condition of this process, asked for while its event loop runs on."""

    async def asked() -> bool:
        return condition()

    return asked


def messages_in_hand() -> int:
    """How many messages the consumers of this event loop have taken in hand and not let go of."""
    return sum(task.get_name().startswith("settle ") for task in asyncio.all_tasks())


async def number_of_facts(client: CommandClient, message: Recorded[Any]) -> int:
    """How many events the message's saga has recorded."""
    return len(await Log(client).of_stream(f"errand-{message.event.errand_id}", 0, 100) or ())


async def until_done(client: CommandClient, message: Recorded[Any], events: int) -> None:
    """Waits until the message's saga has recorded so many events."""

    async def done() -> bool:
        return await number_of_facts(client, message) == events

    await until(done, f"{events} facts of the saga of {message.stream}")


async def parked(uri: str, errands: Errands, number: int) -> None:
    """Waits until so many messages are parked."""

    async def condition() -> bool:
        return await operated(uri, lambda operator: operator.group_info(errands.group).parked_message_count == number)

    await until(condition, f"{number} parked messages")


async def operated(uri: str, action: Callable[[Operator], T]) -> T:
    """What an operator does meanwhile, in a thread of its own."""

    def act() -> T:
        with operating(uri) as operator:
            return action(operator)

    return await asyncio.to_thread(act)
