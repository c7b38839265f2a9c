"""Of processes that append to one stream none is kept out: who has the lead leaves it to the others after a slice."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.rivalry import Rivalry
from tests.infrastructure.commands.stories import opened, version_of
from tests.infrastructure.commands.tally import CODEC, connected

SECONDS = 3.0
TOOK = 0.002


def start(uri: str, tally: str, callers: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.infrastructure.commands.hot_tally", uri, tally, str(callers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


async def answers_of(uri: str, callers: Sequence[int]) -> list[tuple[int, int]]:
    """What processes with so many callers each were answered: counts, and failures; each count stands in the stream."""
    tally = str(uuid4())
    async with connected(uri) as client:
        await opened(CommandHandler(client, CODEC), tally, limit=1_000_000)
        answers = await asyncio.to_thread(run_all, uri, tally, callers)
        assert await version_of(client, f"tally-{tally}") == sum(counted for counted, _ in answers)
    return answers


def run_all(uri: str, tally: str, callers: Sequence[int]) -> list[tuple[int, int]]:
    with ExitStack() as stack:
        processes = [stack.enter_context(start(uri, tally, number)) for number in callers]
        for process in processes:
            stack.callback(process.kill)
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * len(processes)
        said = [process.communicate for process in processes]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{SECONDS}\n")
            process.stdin.flush()
        words = [end(timeout=30)[0].split() for end in said]
    return [(int(counted), int(failed)) for counted, failed in words]


def test_two_processes_get_comparable_shares(eventstore_uri: str) -> None:
    answers = asyncio.run(answers_of(eventstore_uri, [8, 8]))
    assert [failed for _, failed in answers] == [0, 0]
    fewer, more = sorted(counted for counted, _ in answers)
    assert fewer * 6 > more


def won_until_rest(rivalry: Rivalry, now: float, waiting: int) -> int:
    """How many appends a slice has that begins now."""
    for number in range(1, 1_000):
        rivalry.win(now, TOOK, waiting)
        if rivalry.rest(now):
            return number
    raise AssertionError("no rest after 1,000 appends")


def test_a_slice_is_for_those_who_wait_and_doubles_while_nobody_claims_the_rest() -> None:
    rivalry, now = Rivalry(), 10.0
    rivalry.lose(now, TOOK)
    assert won_until_rest(rivalry, now, waiting=8) == 14
    assert round(rivalry.rest(now) / TOOK, 6) == 8
    now += 0.1
    assert won_until_rest(rivalry, now, waiting=8) == 28
    rivalry.lose(now, TOOK)
    assert rivalry.rest(now) == 0.0
    assert won_until_rest(rivalry, now, waiting=1) == 7


def test_who_has_lost_no_race_lately_rests_after_the_longest_slice_only() -> None:
    rivalry = Rivalry()
    assert won_until_rest(rivalry, 10.0, waiting=8) == 512
    rivalry.lose(20.0, TOOK)
    assert won_until_rest(rivalry, 21.0, waiting=8) == 512


def test_the_longer_a_command_has_waited_the_shorter_its_pause() -> None:
    rivalry = Rivalry()
    rivalry.lose(10.0, TOOK)
    assert rivalry.pause(waited=0.0) == 0.0  # there may be no second race
    rivalry.lose(10.0, TOOK)
    longest = [max(rivalry.pause(waited) for _ in range(500)) for waited in (0.0, 24 * TOOK, 500 * TOOK)]
    assert [pause <= most * TOOK for pause, most in zip(longest, (16, 4, 1), strict=True)] == [True] * 3
    assert longest == sorted(longest, reverse=True)
