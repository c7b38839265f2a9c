"""A saga's consumer at work in a test, and what to wait for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from domain.decider import Decider
from domain.engine_events import PREFIX, SagaMessageWaiting, SagaStopped
from domain.message import Command, Recorded
from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.sagas.consumer import consume_saga
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.deliveries import ConsumerOptions
from infrastructure.sagas.operator_words import Retry
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.sagas.errand import Errands, request
from tests.support.polling import poll_until_async

ROOT = Path(__file__).parents[3]
SECONDS = 60.0
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


def stop_at(message: Recorded[Any], error: str) -> SagaStopped:
    """What the engine notes where an instance stops at a message."""
    return SagaStopped(
        stream=message.stream,
        version=message.version,
        position=message.position,
        message_id=str(message.id),
        error=error,
    )


def waiting_at(message: Recorded[Any]) -> SagaMessageWaiting:
    """What it notes of a message that came after that."""
    return SagaMessageWaiting(
        stream=message.stream, version=message.version, position=message.position, message_id=str(message.id)
    )


def broken(command: Command) -> Decider[Any, Any, Any]:
    """A route with a bug."""
    raise KeyError(type(command).__name__)


async def resume(client: CommandClient, errands: Errands, errand_id: str) -> None:
    """An operator has an instance go on."""
    await errands.desk(client).say(errands.stream(errand_id), Retry("it is mended"), request())


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
        task = asyncio.create_task(consume_saga(reacting, own, errands.groups, stop, options))
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
    """How many events the message's saga has recorded, without what the engine noted."""
    return sum(not record.type.startswith(PREFIX) for record in await _records(client, message))


async def _records(client: CommandClient, message: Recorded[Any]) -> list[Record]:
    tag = message.event.stored_name.removeprefix("ErrandAsked")
    return await Log(client).of_stream(f"errand_{tag}-{message.event.errand_id}", 0, 1_000) or []


async def until_done(client: CommandClient, message: Recorded[Any], events: int) -> None:
    """Waits until the message's saga has recorded so many events."""

    async def done() -> bool:
        return await number_of_facts(client, message) == events

    await until(done, f"{events} facts of the saga of {message.stream}")


async def until_recorded(client: CommandClient, message: Recorded[Any], events: int) -> None:
    """Waits until the stream of the message's saga holds so many events, with what the engine noted."""

    async def done() -> bool:
        return len(await _records(client, message)) >= events

    await until(done, f"{events} events of the saga of {message.stream}")


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
