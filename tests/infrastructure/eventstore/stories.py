"""How the tests of commands are told: with a handler, and a tally that nobody else uses."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import uuid4

from esdbclient import AsyncEventStoreDBClient

from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome
from tests.infrastructure.eventstore.tally import (
    CODEC,
    Count,
    OpenTally,
    connected,
    decider,
    request,
)

Story = Callable[[AsyncEventStoreDBClient, CommandHandler, str], Awaitable[None]]


def tell(uri: str, story: Story) -> None:
    """Runs a story with a handler and the id of a tally that nobody else uses."""

    async def run() -> None:
        async with connected(uri) as client:
            await story(client, CommandHandler(client, CODEC), str(uuid4()))

    asyncio.run(run())


async def opened(handler: CommandHandler, tally: str, limit: int = 100) -> Outcome:
    return await handler.handle(decider, OpenTally(tally_id=tally, limit=Decimal(limit)), request())


def count(tally: str, by: int = 1) -> Count:
    return Count(tally_id=tally, by=Decimal(by))


def facts(outcome: Outcome) -> list[tuple[int, object]]:
    """Each event that a command left, with its version."""
    first = outcome.version - len(outcome.events) + 1
    return list(enumerate(outcome.events, first))
