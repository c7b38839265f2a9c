"""Commands sent again, by one process or several that were killed before they answered, have one effect and answer."""

import asyncio
import sys
from collections import defaultdict
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from infrastructure.commands.handler import CommandHandler
from infrastructure.eventstore.log_reader import open_reader
from tests.infrastructure.commands.stories import opened
from tests.infrastructure.commands.tally import CODEC, connected
from tests.infrastructure.commands.writer import command_id, name_of
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import Listened

COMMANDS = 50
_WRITER = (sys.executable, "-m", "tests.infrastructure.commands.writer")


@pytest.fixture
def seeds() -> tuple[int, int]:
    """One for each writer: other ones each time, shown where a test fails."""
    first = Random().randrange(1, 2**31)
    return first, first + 1


def start(uri: str, tally: str, seed: int, cached: int, every: int) -> Listened:
    command = (*_WRITER, uri, tally, str(seed), str(COMMANDS), str(cached), str(every))
    return Listened(command, {"PYTHONPATH": str(Path(__file__).parents[3])})


def answers(writer: Listened) -> list[list[str]]:
    return [line.split()[1:] for line in writer.output if line.startswith("answered")]


def open_tally(uri: str) -> str:
    async def run() -> str:
        async with connected(uri) as client:
            tally = str(uuid4())
            await opened(CommandHandler(client, CODEC), tally, limit=1_000_000)
            return tally

    return asyncio.run(run())


def answers_of(
    uri: str, tally: str, seeds: tuple[int, int], *, store: EventStoreProcess | None = None, every: int = 0
) -> dict[tuple[int, int], set[str]]:
    """What each command was answered by writers that were killed and started again, until all were done."""
    told: dict[tuple[int, int], set[str]] = defaultdict(set)
    for round_, kept in enumerate((17, 41, None)):
        writers = {seed: start(uri, tally, seed, cached=(seed + round_) % 2 * 100, every=every) for seed in seeds}
        for place, writer in enumerate(writers.values()):
            writer.line("done" if kept is None else f"answered {kept + place}", within=60)
            if kept is None:
                assert writer.wait(within=20) == 0, writer.errors[-3:]
        if store is not None and kept is not None:
            store.kill()
            store.start()
        for seed, writer in writers.items():
            writer.kill()
            for number, *answer in answers(writer):
                told[name_of(seed, int(number))].add(" ".join(answer))
    return told


def in_the_log(uri: str, tally: str, seeds: tuple[int, int]) -> dict[tuple[int, int], set[str]]:
    """What each command left, as it should have been answered; each may stand at one place only."""
    names = {command_id(tally, name): name for seed in seeds for name in (name_of(seed, n) for n in range(COMMANDS))}
    left: dict[tuple[int, int], set[str]] = defaultdict(set)
    with open_reader(uri) as reader:
        for record in (reader.page(f"tally-{tally}", 1, 5_000)) or ():
            metadata = CODEC.events_in(record)[0].metadata
            left[names[metadata.command_id]].add(f"{record.version} {record.position} {record.id} 1")
    return left


def test_repeats_of_killed_processes_are_answered_from_the_log(eventstore_uri: str, seeds: tuple[int, int]) -> None:
    tally = open_tally(eventstore_uri)
    told = answers_of(eventstore_uri, tally, seeds)
    assert set(map(len, told.values())) == {1}
    assert told == in_the_log(eventstore_uri, tally, seeds)


def test_repeats_are_answered_from_snapshots_and_a_log_whose_server_was_killed_too(
    tmp_path: Path, seeds: tuple[int, int]
) -> None:
    with EventStoreProcess(tmp_path) as store:
        tally = open_tally(store.uri)
        told = answers_of(store.uri, tally, seeds, store=store, every=7)
        assert set(map(len, told.values())) == {1}
        assert told == in_the_log(store.uri, tally, seeds)
