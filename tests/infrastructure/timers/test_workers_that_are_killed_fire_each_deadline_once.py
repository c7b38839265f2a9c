"""Workers that are killed while deadlines pass: each fires once, and what follows takes effect once."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import pytest

from domain.engine_events import PREFIX
from infrastructure.eventstore.log import Log
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.consumers import ROOT, until
from tests.infrastructure.sagas.errand import ThingMissing, ThingReturned
from tests.infrastructure.sagas.patient_errand import PatientErrands
from tests.infrastructure.sagas.shelf import PutBack
from tests.infrastructure.timers.crowd import DUE, Crowd

NUMBER: Final = 40


@contextmanager
def working(uri: str, tag: str, streams: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A worker process, which is killed at the end."""
    command = [sys.executable, "-m", "tests.infrastructure.timers.worker", uri, tag, *streams]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as worker:
        try:
            yield worker
        finally:
            worker.kill()


async def returned(crowd: Crowd, streams: list[str]) -> int:
    """How many of these errands have ended."""
    records = await Log(crowd.client).of_types(ThingReturned.stored_name, None, 10_000)
    return len({record.stream for record in records} & set(streams))


@pytest.mark.soak
@pytest.mark.parametrize("at", [1, 7, 15, 23, 31])
def test_three_kills_change_nothing(eventstore_uri: str, at: int) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            crowd = Crowd(client, PatientErrands())
            streams = await crowd.wait(*[DUE] * NUMBER)
            with ExitStack() as workers:
                running = [workers.enter_context(working(eventstore_uri, crowd.errands.tag, streams)) for _ in range(2)]
                for kill in range(3):
                    await until_returned(crowd, streams, at + 2 * kill)
                    running[kill % 2].kill()
                    running[kill % 2] = workers.enter_context(working(eventstore_uri, crowd.errands.tag, streams))
                await until_returned(crowd, streams, NUMBER)
            assert await crowd.fired(streams) == dict.fromkeys(streams, 1)
            told = [await crowd.told(stream) for stream in streams]
            facts = [[event for event in each if not event.stored_name.startswith(PREFIX)] for each in told]
            assert facts == [[ThingMissing(shelf_id="b"), ThingReturned(shelf_id="a")]] * NUMBER
            own = {stream.partition("-")[2] for stream in streams}
            shelf = await crowd.errands.story(client, "shelf-a")
            put_back = Counter(event.errand_id for event in shelf if isinstance(event, PutBack))
            assert {errand: number for errand, number in put_back.items() if errand in own} == dict.fromkeys(own, 1)

    asyncio.run(run())


async def until_returned(crowd: Crowd, streams: list[str], number: int) -> None:
    async def condition() -> bool:
        return await returned(crowd, streams) >= number

    await until(condition, f"{number} errands to end")
