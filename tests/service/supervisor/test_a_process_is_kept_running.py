"""One supervised process: started again, given up, stopped in order or by force."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

import pytest
import structlog

from service.errors import ChildRefused
from service.supervisor.child import Child
from service.supervisor.programs import Program
from tests.support.processes import is_alive, kill_hard

WITHIN: Final = 20.0
WAITS: Final = "import signal; print('it_is_ready now', flush=True); signal.pause()"
REFUSES: Final = "import sys; sys.exit('foldstream it: no place to live')"
REFUSES_LATER: Final = f"print('it_is_ready now', flush=True); {REFUSES}"
IS_CALLED_WRONGLY: Final = "import sys; print('foldstream it: no such place', file=sys.stderr); sys.exit(2)"
LOGGED: Final = json.dumps({"event": "unexpected_error", "exception": "Traceback:\n  line 1\nValueError: no int"})
FAILS: Final = f"import sys; sys.exit({LOGGED!r})"
IGNORES_SIGTERM: Final = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITS


class Kept:
    """A child that is kept running while the block lasts; `pids` has the pid of every start."""

    def __init__(
        self,
        script: str,
        grace: float = 8.0,
        interpreter: str = sys.executable,
        steady: float = WITHIN,
        keeps: Path | None = None,
    ) -> None:
        command = (interpreter, "-c", script)
        program = Program("it-1", command, ready="it_is_ready ", verb="it", grace=grace, keeps=keeps)
        self.child = Child(program, self._note, steady)
        self._pids: asyncio.Queue[int] = asyncio.Queue()
        self.starts = 0

    async def __aenter__(self) -> "Kept":
        self.keeping = asyncio.create_task(self.child.keep())
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.child.stop(self.keeping)

    async def started(self) -> int:
        return await asyncio.wait_for(self._pids.get(), WITHIN)

    async def ready(self) -> None:
        await asyncio.wait_for(self.child.ready.wait(), WITHIN)

    def _note(self) -> None:
        if self.child.pid is not None:
            self.starts += 1
            self._pids.put_nowait(self.child.pid)


def test_a_process_is_ready_when_it_says_so() -> None:
    async def run() -> int:
        async with Kept(WAITS) as kept:
            await kept.ready()
            pid = await kept.started()
            assert is_alive(pid)
        return pid

    assert not is_alive(asyncio.run(run()))


def test_a_process_that_is_killed_is_started_again() -> None:
    async def run() -> None:
        async with Kept(WAITS) as kept:
            first = await kept.started()
            kill_hard(first)
            second = await kept.started()
            assert second != first
            assert is_alive(second)

    asyncio.run(run())


def test_a_process_whose_folder_was_taken_away_is_started_again_when_it_is_back(tmp_path: Path) -> None:
    """It would begin an empty one, and nobody would notice."""
    folder, elsewhere = tmp_path / "log", tmp_path / "taken"
    folder.mkdir()

    async def run() -> None:
        async with Kept(WAITS, steady=0.0, keeps=folder) as kept:
            first = await kept.started()
            await kept.ready()
            folder.rename(elsewhere)
            kill_hard(first)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(kept.started(), 1.0)
            elsewhere.rename(folder)
            assert is_alive(await kept.started())

    with structlog.testing.capture_logs() as lines:
        asyncio.run(run())
    assert {line.get("reason") for line in lines if line["event"] == "process_ended"} == {
        None,
        f"{folder} is gone: put it back; only a stop and a start begin a new one",
    }


@pytest.mark.parametrize(
    ("script", "line", "starts"),
    [
        (REFUSES, "no place to live", 1),
        (IS_CALLED_WRONGLY, "no such place", 1),
        (REFUSES_LATER, "no place to live", 3),
        ("raise SystemExit(1)", "it ended with exit code 1", 3),
    ],
)
def test_a_process_is_given_up_with_its_own_words_at_once_where_they_can_not_change(
    script: str, line: str, starts: int
) -> None:
    async def run() -> tuple[str, int]:
        async with Kept(script) as kept:
            with pytest.raises(ChildRefused) as refused:
                await asyncio.wait_for(kept.keeping, WITHIN)
            return str(refused.value), kept.starts

    assert asyncio.run(run()) == (f"it-1 does not start: {line}", starts)


def test_of_an_error_that_nobody_caught_only_its_end_is_repeated() -> None:
    async def run() -> str:
        async with Kept(FAILS) as kept:
            with pytest.raises(ChildRefused) as refused:
                await asyncio.wait_for(kept.keeping, WITHIN)
            return str(refused.value)

    assert asyncio.run(run()) == "it-1 does not start: unexpected_error: ValueError: no int; the log has all of it"


def test_a_program_that_is_not_there_is_given_up() -> None:
    async def run() -> str:
        async with Kept(WAITS, interpreter="/nowhere/python") as kept:
            with pytest.raises(ChildRefused) as refused:
                await asyncio.wait_for(kept.keeping, WITHIN)
            return str(refused.value)

    assert asyncio.run(run()) == "it-1 does not start: can't be started: No such file or directory"


def test_a_process_of_a_service_that_was_ready_is_never_given_up() -> None:
    async def run() -> int:
        async with Kept(REFUSES) as kept:
            kept.child.settled = True
            return len({await kept.started() for _ in range(5)})

    assert asyncio.run(run()) == 5


def test_a_process_that_has_run_for_a_while_is_never_given_up() -> None:
    async def run() -> int:
        async with Kept(REFUSES, steady=0.0) as kept:
            return len({await kept.started() for _ in range(5)})

    assert asyncio.run(run()) == 5


def test_a_process_that_does_not_stop_in_time_is_killed() -> None:
    async def run() -> int:
        async with Kept(IGNORES_SIGTERM, grace=0.3) as kept:
            await kept.ready()
            return await kept.started()

    assert not is_alive(asyncio.run(run()))
