"""Whatever the fork server fails in, a program begins once or not at all, and nothing of it stays behind.

Each test is a process of its own, as the fork server begins in one that has no thread.
"""

import asyncio
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from typing import Final

import pytest

from service.supervisor.fork_server import ANSWER_SECONDS, ForkServer, fork_server
from service.supervisor.programs import Program
from tests.support.polling import poll_until, poll_until_async
from tests.support.processes import FOLDSTREAM, Listened, children, is_alive, kill_hard

VERSION: Final = Program("version", (*FOLDSTREAM, "--version"))
ENDS_WITH_7: Final = Program("seven", ("/bin/sh", "-c", "exit 7"))
TOO_LARGE: Final = Program("large", ("/bin/sh", "-c", "exit 7", "sh", "x" * 70_000))  # longer than a request
WITHIN: Final = 60.0
PIPES: Final = 6  # descriptors of three


@contextmanager
def forking(answer_seconds: float = ANSWER_SECONDS) -> Iterator[tuple[ForkServer, int]]:
    """A fork server, and its pid."""
    with fork_server(answer_seconds) as forks:
        assert forks is not None
        (pid,) = children(os.getpid())
        yield forks, pid


@contextmanager
def most_descriptors(number: int) -> Iterator[None]:
    """None from this number on can be opened while the block lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def opened() -> set[int]:
    """The descriptors of this process; that by which they are listed is gone."""
    return {number for number in map(int, os.listdir("/proc/self/fd")) if os.path.exists(f"/proc/self/fd/{number}")}


async def exit_code(forks: ForkServer, program: Program) -> int:
    return await asyncio.wait_for((await forks.start(program)).wait(), WITHIN)


async def settled(before: set[int]) -> bool:
    return opened() == before


def execute_many() -> None:
    async def run(forks: ForkServer) -> None:
        begun = [await forks.start(ENDS_WITH_7) for _ in range(30)]
        assert [await process.wait() for process in begun] == [7] * 30

    with forking() as (forks, server):
        kill_hard(server)
        asyncio.run(run(forks))


def ask_for_too_much() -> None:
    async def run(forks: ForkServer) -> None:
        assert [await exit_code(forks, TOO_LARGE), await exit_code(forks, ENDS_WITH_7)] == [7, 7]

    with forking() as (forks, _):
        asyncio.run(run(forks))


def ask_who_does_not_answer() -> None:
    async def run(forks: ForkServer) -> None:
        assert await asyncio.gather(*(exit_code(forks, ENDS_WITH_7) for _ in range(3))) == [7, 7, 7]

    with forking(answer_seconds=1.0) as (forks, server):
        os.kill(server, signal.SIGSTOP)
        asyncio.run(run(forks))
        poll_until(lambda: not is_alive(server), WITHIN, what="the end of the fork server")


def run_out_of_descriptors() -> None:
    async def run(forks: ForkServer, server: int) -> None:
        assert await exit_code(forks, VERSION) == 0
        before = opened()
        free = (number for number in count() if number not in before)
        for first_without_room in islice(free, PIPES):
            with most_descriptors(first_without_room), pytest.raises(OSError, match="Too many open files"):
                await forks.start(VERSION)
            await poll_until_async(partial(settled, before), WITHIN, what="the end of all descriptors")
        assert await exit_code(forks, VERSION) == 0
        await poll_until_async(partial(settled, before), WITHIN, what="the end of all descriptors")
        assert children(os.getpid()) == [server]

    with forking() as (forks, server):
        asyncio.run(run(forks, server))


def lose_the_handle() -> None:
    async def run(forks: ForkServer, server: int) -> None:
        before = opened()
        os.kill(server, signal.SIGSTOP)
        starting = asyncio.create_task(forks.start(VERSION))
        await poll_until_async(lambda: asked(before), WITHIN, what="a request")
        with most_descriptors(3):
            os.kill(server, signal.SIGCONT)
            with pytest.raises(OSError, match="Too many open files"):
                await starting
        assert children(os.getpid()) == [server]

    async def asked(before: set[int]) -> bool:
        return len(opened() - before) == 3  # the ends of three pipes, once the others were sent

    with forking() as (forks, server):
        asyncio.run(run(forks, server))


def wait_often() -> None:
    async def run(forks: ForkServer) -> None:
        process = await forks.start(VERSION)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 0)
        waiting = [asyncio.create_task(process.wait()) for _ in range(2)]
        assert [await each for each in waiting] == [0, 0]
        assert await process.wait() == 0

    with forking() as (forks, _):
        asyncio.run(run(forks))


def begin_without_handles() -> None:
    with most_descriptors(3), fork_server() as forks:
        assert forks is None


def ended_well(body: Callable[[], None]) -> Listened:
    process = Listened(body, {})
    assert process.wait(within=WITHIN) == 0, "\n".join(process.errors)
    return process


def warnings_of(process: Listened) -> int:
    return sum("fork_server_gone" in line for line in process.output)


def test_an_executed_program_has_its_own_exit_code() -> None:
    assert warnings_of(ended_well(execute_many)) == 1


def test_an_error_of_the_fork_server_is_told_and_programs_are_executed() -> None:
    process = ended_well(ask_for_too_much)
    assert [line for line in process.errors if line.startswith("json.decoder.JSONDecodeError: ")] == process.errors[-1:]
    assert warnings_of(process) == 1


def test_a_fork_server_that_does_not_answer_is_killed_and_programs_are_executed() -> None:
    assert warnings_of(ended_well(ask_who_does_not_answer)) == 1


def test_without_descriptors_nothing_begins_and_none_is_lost() -> None:
    assert warnings_of(ended_well(run_out_of_descriptors)) == 0


def test_a_program_that_nobody_could_wait_for_is_killed() -> None:
    assert warnings_of(ended_well(lose_the_handle)) == 0


def test_an_end_may_be_awaited_often() -> None:
    ended_well(wait_often)


def test_there_is_no_fork_server_without_handles_of_processes() -> None:
    ended_well(begin_without_handles)
