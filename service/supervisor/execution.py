"""A program of `serve` as a process of its own, executed from its beginning."""

import asyncio
import signal
from asyncio.subprocess import DEVNULL, PIPE
from typing import Protocol

from service.supervisor.programs import Program


class Process(Protocol):
    """A process that runs, or has run."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    @property
    def stderr(self) -> asyncio.StreamReader | None: ...
    def send_signal(self, number: signal.Signals, /) -> None:
        """Sends it this signal."""

    async def wait(self) -> int:
        """The exit code, negative for a signal, once it has ended."""


async def execute(program: Program) -> Process:
    """Raises OSError where the machine has no room for another process."""
    given = [f"{name}={value}" for name, value in program.variables.items()]
    # A session of its own: Ctrl-C and a closed terminal reach the supervisor alone, which stops all in order.
    return await asyncio.create_subprocess_exec(
        *(["/usr/bin/env", *given] if given else []),
        *program.command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        pass_fds=program.files,
        start_new_session=True,
    )
