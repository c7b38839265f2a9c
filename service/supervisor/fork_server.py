"""Programs of `serve` are forked from a process that has loaded what they share, in place of loading it each.

A program begins so with a few hundredths of a second of processor time, and shares the memory of what is loaded. It is
a child of the supervisor, as if that had started it: Linux has it adopted, as an orphan, once the process between has
ended. The server has one thread and no event loop, so that it is safe to fork it. When it is gone, programs are
executed, and those that run go on.
"""

import asyncio
import contextvars
import ctypes
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from service.supervisor.execution import Process, execute
from service.supervisor.forked_program import LONGEST_PID, Request, run_to_end, serve_requests
from service.supervisor.programs import Program

ANSWER_SECONDS: Final = 30.0  # the first waits until the modules of the embedded servers are loaded
_PR_SET_CHILD_SUBREAPER: Final = 36
_log = structlog.get_logger(__name__)


class _Gone(Exception):
    """The fork server has ended, or doesn't answer."""


class ForkedProcess:
    """One that was forked, as `asyncio.subprocess.Process` shows one that was executed."""

    def __init__(self, pid: int, output: asyncio.StreamReader, errors: asyncio.StreamReader) -> None:
        """Raises OSError."""
        self.pid: Final = pid
        self.stdout: Final = output
        self.stderr: Final = errors
        self.returncode: int | None = None
        self._ended: Final = asyncio.Event()
        self._handle: Final = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._handle, self._fetch_end)

    def send_signal(self, number: signal.Signals) -> None:
        """To be called while there is no exit code: the pid is this process's until that is fetched."""
        os.kill(self.pid, number)

    async def wait(self) -> int:
        """The exit code, negative for a signal."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def _fetch_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._ended.set()


class ForkServer:
    """To be made before this process has a thread or an event loop, and once it adopts orphans."""

    def __init__(self, answer_seconds: float) -> None:
        self._asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid: Final = os.fork()
        if self._pid == 0:
            self._asking.close()
            _run_apart(asked)
        asked.close()
        self._asking.setblocking(False)  # many requests have room: where there is none, nobody takes them
        self._answer_seconds = answer_seconds
        self._is_gone = False
        self._beginning = 0
        self._running: list[Process] = []  # and those that ended since the last start

    async def start(self, program: Program) -> Process:
        """Raises OSError where the machine has no room for another process."""
        self._fetch_orphans()
        self._beginning += 1
        try:
            process = await self._begun(program)
            self._running.append(process)
        finally:
            self._beginning -= 1
        return process

    def close(self) -> None:
        """Ends it. What it has forked runs on."""
        self._asking.close()
        os.kill(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    async def _begun(self, program: Program) -> Process:
        if not self._is_gone:
            try:
                return await self._forked(program)
            except _Gone as gone:
                self._give_up(str(gone))
        return await execute(program)

    def _give_up(self, reason: str) -> None:
        if not self._is_gone:  # others may have waited for an answer at the same time
            self._is_gone = True
            os.kill(self._pid, signal.SIGKILL)
            _log.warning("fork_server_gone", reason=reason)

    async def _forked(self, program: Program) -> ForkedProcess:
        """Raises _Gone and OSError."""
        with ExitStack() as sent:
            pipes = [await _pipe(sent) for _ in range(3)]
            self._send(program, [written for _, written in pipes])
        output, errors, answer = [reader for reader, _ in pipes]
        pid = await self._pid_of(answer)
        try:
            return ForkedProcess(pid, output, errors)
        except OSError:  # it runs, and nobody could wait for it
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)  # noqa: ASYNC222 - it was killed
            raise

    def _send(self, program: Program, pipes: list[int]) -> None:
        """Raises _Gone."""
        request = Request(program.name, program.words, dict(program.variables), program.files)
        try:
            socket.send_fds(self._asking, [request.as_bytes()], [*pipes, *program.files])
        except OSError as error:
            raise _Gone(error.strerror) from error

    async def _pid_of(self, answer: asyncio.StreamReader) -> int:
        """Raises _Gone, and OSError where there is no room for another process."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                answered = await answer.read(LONGEST_PID)  # the program may have the pipe open for longer
        except TimeoutError as error:
            raise _Gone(f"no answer in {self._answer_seconds} s") from error
        if not answered:
            raise _Gone("it has ended")
        if (pid := int(answered)) < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid

    def _fetch_orphans(self) -> None:
        """Fetches the ends of what programs left behind when they were killed."""
        self._running = [process for process in self._running if process.returncode is None]
        if self._beginning:
            return  # a child that is unknown may be a program that has just begun
        for pid in {*_children()} - {self._pid, *(process.pid for process in self._running)}:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _run_apart(asked: socket.socket) -> None:
    """Nothing that was set for the supervisor's command holds for the programs, and nothing goes on after them."""
    try:
        run_to_end(partial(contextvars.Context().run, serve_requests, asked))
    finally:
        os._exit(1)


@contextmanager
def fork_server(answer_seconds: float = ANSWER_SECONDS) -> Iterator[ForkServer | None]:
    """One while the block lasts; None where the system lacks what it needs of Linux.

    One that doesn't answer in so many seconds is killed.
    """
    if not _is_possible():
        yield None
        return
    server = ForkServer(answer_seconds)
    try:
        yield server
    finally:
        server.close()


def _is_possible() -> bool:
    """Whether there are handles of processes and lists of children, and this process could be made to adopt orphans."""
    try:
        os.close(os.pidfd_open(os.getpid()))
        _children()
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (AttributeError, OSError):
        return False


def _children() -> list[int]:
    """The pids of those of this process's one thread that starts any. Raises OSError without CONFIG_PROC_CHILDREN."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    return [int(pid) for pid in listed.split()]


async def _pipe(held: ExitStack) -> tuple[asyncio.StreamReader, int]:
    """A pipe. Its end for writing is closed with `held`; the other, once nobody has that. Raises OSError."""
    reading, written = os.pipe()
    held.callback(os.close, written)
    reader = asyncio.StreamReader()
    file = os.fdopen(reading, "rb", buffering=0)
    try:
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    except BaseException:
        file.close()
        raise
    return reader, written
