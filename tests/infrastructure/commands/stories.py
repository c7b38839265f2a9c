"""How the tests of commands are told: with a handler, and a tally that nobody else uses."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import uuid4

from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.tally import (
    CODEC,
    Count,
    OpenTally,
    connected,
    decider,
    request,
)
from tests.support.polling import poll_until_async

Story = Callable[[CommandClient, CommandHandler, str], Awaitable[None]]


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


async def stored(client: CommandClient, stream: str) -> list[Record]:
    """What a stream holds, up to 5,000 records; nothing where there is none."""
    return await Streams(client, CODEC).records(stream, 0, 5_000) or []


async def version_of(client: CommandClient, stream: str) -> int:
    """The version of a stream's last record, -1 where nothing is visible."""
    newest = await Streams(client, CODEC).records(stream, None, 1, backwards=True)
    return newest[0].version if newest else -1


async def until_version(client: CommandClient, stream: str, version: int) -> None:
    """Asks the store itself until the stream has come so far; within ten seconds."""

    async def has_come() -> bool:
        return await version_of(client, stream) == version

    await poll_until_async(has_come, 10.0, what=f"version {version} of {stream}")


def facts(outcome: Outcome) -> list[tuple[int, object]]:
    """Each event that a command left, with its version."""
    first = outcome.version - len(outcome.events) + 1
    return list(enumerate(outcome.events, first))
