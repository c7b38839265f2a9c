"""An older copy of the store is put back and written on: what is remembered of its other future is forgotten."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from domain.errors import Rejected
from infrastructure.commands.handler import CommandHandler
from tests.infrastructure.commands.stories import count, opened
from tests.infrastructure.commands.tally import CODEC, connected, decider, request
from tests.support.eventstore import EventStoreProcess


async def while_stopped(store: EventStoreProcess, act: Callable[[], object]) -> None:
    """Stops the store, and starts it on its port again."""
    await asyncio.to_thread(store.stop)
    act()
    await asyncio.to_thread(store.start)


def put_back(copy: Path, data: Path) -> None:
    shutil.rmtree(data)
    shutil.copytree(copy, data)


def test_a_lost_race_shows_that_the_stream_is_another(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"

    async def run(store: EventStoreProcess) -> None:
        async with connected(store.uri) as client:
            tally, remembering, other = str(uuid4()), CommandHandler(client, CODEC), CommandHandler(client, CODEC)
            await opened(remembering, tally, limit=10)
            await while_stopped(store, lambda: shutil.copytree(data, copy))
            await remembering.handle(decider, count(tally, 4), request())
            await while_stopped(store, lambda: put_back(copy, data))
            for _ in range(2):
                await other.handle(decider, count(tally, 5), request())
            with pytest.raises(Rejected) as refusal:
                await remembering.handle(decider, count(tally, 1), request())
            assert str(refusal.value) == "11 is more than 10."

    with EventStoreProcess(data) as store:
        asyncio.run(run(store))
