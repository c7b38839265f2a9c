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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from service.supervisor.execution import Process, execute
from service.supervisor.forked_program import Request, serve_requests
from service.supervisor.programs import Program

_PR_SET_CHILD_SUBREAPER: Final = 36


class _Gone(Exception):
    """The server of forks has ended."""


class ForkedProcess:
    """One that was forked, as `asyncio.subprocess.Process` shows one that was executed."""

    def __init__(
        self, pid: int, output: asyncio.StreamReader, errors: asyncio.StreamReader, ended: Callable[[int], None]
    ) -> None:
        self.pid: Final = pid
        self.stdout: Final = output
        self.stderr: Final = errors
        self.returncode: int | None = None
        self._ended: Final = ended
        self._handle: Final = os.pidfd_open(pid)

    def send_signal(self, number: signal.Signals) -> None:
        """To be called while there is no exit code: the pid is this process's until that is fetched."""
        os.kill(self.pid, number)

    async def wait(self) -> int:
        """The exit code, negative for a signal. To be awaited once."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._handle)
            os.close(self._handle)
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])  # noqa: ASYNC222 - it has ended
        self._ended(self.pid)
        return self.returncode


class ForkServer:
    """To be made before this process has a thread or an event loop."""

    def __init__(self) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid: Final = os.fork()
        if self._pid == 0:
            self._asking.close()
            _run_apart(asked)
        asked.close()
        self._beginning = 0
        self._running: set[int] = set()

    async def start(self, program: Program) -> Process:
        """Raises OSError where the machine has no room for another process."""
        self._beginning += 1
        try:
            process = await self._forked(program)
            self._running.add(process.pid)
        except _Gone:
            return await execute(program)
        finally:
            self._beginning -= 1
        return process

    def close(self) -> None:
        """Ends it. What it has forked runs on."""
        self._asking.close()
        os.kill(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    async def _forked(self, program: Program) -> ForkedProcess:
        """Raises _Gone and OSError."""
        pipes = [os.pipe() for _ in range(3)]
        output, errors, answer = [await _reader(reading) for reading, _ in pipes]
        request = Request(program.name, program.words, dict(program.variables), program.files)
        try:
            socket.send_fds(self._asking, [request.as_bytes()], [*(written for _, written in pipes), *program.files])
        except OSError as error:
            raise _Gone from error
        finally:
            for _, written in pipes:
                os.close(written)
        if not (answered := await answer.read()):
            raise _Gone
        if (pid := int(answered)) < 0:
            raise OSError(-pid, os.strerror(-pid))
        return ForkedProcess(pid, output, errors, self._on_end)

    def _on_end(self, ended: int) -> None:
        self._running.discard(ended)
        if self._beginning:
            return  # a child that is unknown may be a program that has just begun
        for pid in map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()):
            if pid not in {*self._running, self._pid}:  # what a program left behind when it was killed
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _run_apart(asked: socket.socket) -> None:
    """Nothing that was set for the supervisor's command holds for the programs, and nothing goes on after them."""
    try:
        contextvars.Context().run(serve_requests, asked)
    finally:
        os._exit(1)


@contextmanager
def fork_server() -> Iterator[ForkServer | None]:
    """One while the block lasts; None where the system keeps no handles of processes, as Linux does."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        yield None
        return
    server = ForkServer()
    try:
        yield server
    finally:
        server.close()


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    file = os.fdopen(descriptor, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    return reader
