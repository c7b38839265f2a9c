"""One process that is kept running: restarted when it ends, its output read, and stopped within a bound."""

import asyncio
import json
import signal
from asyncio import StreamReader
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Final, TypeAlias

import structlog

from infrastructure.terminal import print_error
from service.errors import ChildRefused
from service.supervisor.execution import Process, execute
from service.supervisor.programs import Program

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
STEADY_SECONDS: Final = 15.0  # a process that ran so long is able to run; its pauses begin anew
WRONG_USAGE: Final = 2  # the exit code for an option or a setting that can't be used
REFUSALS: Final = 3  # so many ends with an error in a row, before it was settled, are a refusal
Start: TypeAlias = Callable[[Program], Awaitable[Process]]
_log = structlog.get_logger(__name__)


class Child:
    """Keeps one program running until `stop`. `changed` is called whenever its pid changes.

    A program that ends with an error three times in a row is given up: ChildRefused, with its explanation. At its
    first end is a server that says why it does not start, or one with wrong settings: it would say the same again. Once
    it has run for `steady` seconds, or `settled` is set, it never is.
    """

    def __init__(
        self,
        program: Program,
        changed: Callable[[], None],
        steady: float = STEADY_SECONDS,
        start: Start = execute,
    ) -> None:
        self.program = program
        self.pid: int | None = None
        self.settled = False
        self.ready = asyncio.Event()
        self._changed = changed
        self._start = start
        self._steady = steady
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._explained = ""  # the line by which it explained its end, if it did
        self._last_line = ""
        self._has_refused = False  # it explained its end itself, in its latest run
        self._pause = FIRST_PAUSE
        self._refused = 0

    async def keep(self) -> None:
        """Runs the program, and again. Returns after `stop`. Raises ChildRefused."""
        while not self._stopping.is_set():
            began = monotonic()
            code = await self._run()
            if self._stopping.is_set():
                return
            self._count_refusal(code, monotonic() - began)
            await self._pause_before_restart(code)

    async def stop(self, keeping: asyncio.Task[None]) -> None:
        """Asks the program to stop, and kills it when it has not within its bound; `keeping` is the task of `keep`."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        _, late = await asyncio.wait({keeping}, timeout=self.program.grace)
        if late:
            _log.warning("process_killed", name=self.program.name, after_seconds=self.program.grace)
            self.kill()
            await asyncio.wait({keeping}, timeout=self.program.grace)
        _log.info("process_stopped", name=self.program.name)

    def kill(self) -> None:
        """Ends the program at once."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _run(self) -> int:
        """Runs the process once, from start to end; the exit code."""
        self._explained = self._last_line = ""
        self._has_refused = False
        if self._has_lost_its_folder():
            self._explained = f"{self.program.keeps} is gone: put it back; only a stop and a start begin a new one"
            return 1
        try:
            self._process = process = await self._start(self.program)
        except OSError as error:  # the machine has no room for another process at this moment
            self._explained = f"can't be started: {error.strerror}"
            return 1
        self._set_pid(process.pid)
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stderr is not None
        listening = asyncio.gather(self._read_output(process.stdout), self._relay(process.stderr))
        code = await process.wait()
        await asyncio.wait({listening}, timeout=1)  # what it said last; a process of its own may hold the pipe open
        listening.cancel()
        self._set_pid(None)
        return code

    def _has_lost_its_folder(self) -> bool:
        return self.ready.is_set() and self.program.keeps is not None and not self.program.keeps.exists()

    def _set_pid(self, pid: int | None) -> None:
        self.pid = pid
        self._changed()
        if pid is not None:
            _log.info("process_started", name=self.program.name, pid=pid)

    async def _read_output(self, output: StreamReader) -> None:
        """Waits for the line that says it is ready; what else it prints is passed on."""
        async for line in _lines(output):
            if self.program.ready is not None and line.startswith(self.program.ready):
                self.ready.set()
            else:
                print_error(line)

    async def _relay(self, errors: StreamReader) -> None:
        """Passes its log on, and keeps the line in which it explains its end: `foldstream <kind>: …`."""
        beginning = f"foldstream {self.program.kind}: "
        async for line in _lines(errors):
            if line.startswith(beginning):
                self._explained, self._has_refused = line.removeprefix(beginning), True
            else:
                self._last_line = line.strip() or self._last_line
                print_error(line)

    def _count_refusal(self, code: int, seconds: float) -> None:
        if seconds >= self._steady:
            self._pause, self.settled = FIRST_PAUSE, True
        self._refused = self._refused + 1 if code > 0 and not self.settled else 0
        if self._refused >= (1 if self._would_refuse_again(code) else REFUSALS):
            raise ChildRefused(self.program.name, code, self._explained or last_words(self._last_line))

    def _would_refuse_again(self, code: int) -> bool:
        """Whether what it refused can't change by another try: a server's folder, or any program's settings."""
        is_server = self.program.ready is not None
        return code == WRONG_USAGE or (is_server and self._has_refused and not self.ready.is_set())

    async def _pause_before_restart(self, code: int) -> None:
        explained = {"reason": self._explained} if self._explained else {}
        _log.warning("process_ended", name=self.program.name, exit_code=code, again_in_seconds=self._pause, **explained)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


def last_words(line: str) -> str:
    """What a process said last, on one line; of an error that nobody caught, which log lines hold as JSON, its end."""
    try:
        logged = json.loads(line)
        trace = str(logged["exception"]).rstrip().rpartition("\n")[2]
    except (ValueError, KeyError, TypeError):
        return line
    return f"{logged.get('event')}: {trace}; the log has all of it"


async def _lines(stream: StreamReader) -> AsyncIterator[str]:
    """The lines of a stream; lines longer than its buffer come in pieces."""
    rest = b""
    while chunk := await stream.read(65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
        if len(rest) >= 65_536:
            yield rest.decode("utf-8", "replace")
            rest = b""
    if rest:
        yield rest.decode("utf-8", "replace")
