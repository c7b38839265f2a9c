"""A store that is killed under load and started again loses nothing that was answered, and doubles nothing."""

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome, Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import ConcurrencyConflict, StoreUnavailable
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.stories import count, opened, stored
from tests.infrastructure.commands.tally import CODEC, connected, decider, request
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until_async

WRITERS = 4
COMMANDS = 40


async def insist(handler: CommandHandler, tally: str, sent: Request) -> Outcome:
    """Sends a command until it is answered, as a client does who was told 503, or 409 for lost races."""
    async with asyncio.timeout(60.0):
        while True:
            try:
                return await handler.handle(decider, count(tally), sent)
            except (StoreUnavailable, ConcurrencyConflict):
                continue


def test_a_store_killed_under_load_keeps_every_answer_and_doubles_none(tmp_path: Path) -> None:
    async def run(process: EventStoreProcess) -> None:
        tally = str(uuid4())
        async with connected(process.uri) as client:
            await opened(CommandHandler(client, CODEC), tally, limit=1_000)

            async def write() -> list[Outcome]:
                handler = CommandHandler(client, CODEC)
                return [await insist(handler, tally, request()) for _ in range(COMMANDS)]

            writers = [asyncio.create_task(write()) for _ in range(WRITERS)]
            for version in (20, 80):
                await until_beyond(client, tally, version)
                await asyncio.to_thread(process.kill)
                await asyncio.to_thread(process.start)
            answered = [outcome for outcomes in await asyncio.gather(*writers) for outcome in outcomes]
            records = (await stored(client, f"tally-{tally}"))[1:]
        told = Counter(CODEC.events_in(record)[0].metadata.command_id for record in records)
        assert set(told.values()) == {1}
        assert len(told) == len(answered)
        assert {outcome.last_id: outcome.version for outcome in answered} == {
            record.id: record.version for record in records
        }

    with EventStoreProcess(tmp_path) as process:
        asyncio.run(run(process))


async def until_beyond(client: CommandClient, tally: str, version: int) -> None:
    """Waits until so much was counted, by a store that may just have been started again."""
    reading = Streams(client, CODEC)
    await poll_until_async(lambda: _counted(reading, f"tally-{tally}", version), 30.0, what=f"version {version}")


async def _counted(reading: Streams, stream: str, version: int) -> bool:
    with suppress(StoreUnavailable):
        return bool(await reading.page(stream, version))
    return False
