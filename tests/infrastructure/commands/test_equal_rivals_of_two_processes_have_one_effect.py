"""One command sent six times at once by two processes has one effect, one answer, and keeps nobody waiting."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from uuid import UUID, uuid4

from infrastructure.commands.handler import CommandHandler
from tests.infrastructure.commands.rival import RIVALS, answers_of, rivals
from tests.infrastructure.commands.stories import opened, stored
from tests.infrastructure.commands.tally import CODEC, connected

RACES = 200
DROPPED_SECONDS = 2.0
"""Sooner than this no store says that it has dropped an append for having others in flight under the same event ids."""


class Rival:
    """The other process; started before this one has an open connection."""

    def __init__(self, uri: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.infrastructure.commands.rival", uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )

    async def answers_of(self, tally: str, command_id: UUID) -> list[str]:
        return await asyncio.to_thread(self._ask, f"{tally} {command_id}\n")

    def _ask(self, line: str) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        answers: list[str] = json.loads(self._process.stdout.readline())
        return answers

    def __enter__(self) -> "Rival":
        return self

    def __exit__(self, *reason: object) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Race:
    """A command's id, what its six senders were answered, and how long that took."""

    command_id: UUID
    answers: list[str]
    seconds: float


async def race(handlers: list[CommandHandler], other: Rival, tally: str) -> Race:
    command_id, began = uuid4(), monotonic()
    sent = other.answers_of(tally, command_id), answers_of(handlers, tally, command_id)
    theirs, ours = await asyncio.gather(*sent)
    return Race(command_id, [*theirs, *ours], monotonic() - began)


def test_all_six_get_the_answer_of_the_one_that_took_effect(eventstore_uri: str) -> None:
    async def run(other: Rival) -> None:
        async with connected(eventstore_uri) as client:
            tally, handlers = str(uuid4()), rivals(client)
            await opened(CommandHandler(client, CODEC), tally, limit=1_000_000)
            async with asyncio.timeout(30.0):
                await other.answers_of(str(uuid4()), uuid4())  # it has started and is connected
            raced = [await race(handlers, other, tally) for _ in range(RACES)]
            records = (await stored(client, f"tally-{tally}"))[1:]
        effects = {CODEC.events_in(record)[0].metadata.command_id: record for record in records}
        assert len(records) == len(effects) == RACES
        for each in raced:
            record = effects[each.command_id]
            assert each.answers == [f"{record.version} {record.position} {record.id}"] * 2 * RIVALS
        assert len([each for each in raced if each.seconds >= DROPPED_SECONDS]) <= RACES // 50

    with Rival(eventstore_uri) as other:
        asyncio.run(run(other))
