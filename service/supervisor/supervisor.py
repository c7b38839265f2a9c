"""Starts the processes in order, keeps them running, and stops them in reverse order when told to."""

import asyncio
import os
import signal
from asyncio import Future, Task
from collections.abc import Iterable
from functools import partial
from itertools import groupby
from pathlib import Path
from socket import socket
from typing import Any, Final

import structlog

from infrastructure.terminal import announce
from service.addresses import url_of
from service.errors import NotReady
from service.settings import Settings
from service.supervisor import folder
from service.supervisor.child import Child, Start
from service.supervisor.development_key import announce_token
from service.supervisor.programs import Program
from service.supervisor.readiness import ready

SERVER_SECONDS: Final = 900.0  # a long log is checked before it is opened
STOPPING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_log = structlog.get_logger(__name__)


class Supervisor:
    """All processes of one data folder; `run` once."""

    def __init__(self, data: Path, settings: Settings, listening: socket, start: Start) -> None:
        self._data = data
        self._settings = settings
        self._listening = listening
        self._start_process = start
        self._url = url_of(listening, by_tls=settings.tls_certificate_file is not None)
        self._children: list[tuple[Child, Task[None]]] = []

    async def run(self, servers: Iterable[Program], workers: Iterable[Program]) -> None:
        """Runs them until SIGTERM, SIGINT or SIGHUP; a second one kills what still runs. Raises ServiceError."""
        end: Future[None] = asyncio.get_running_loop().create_future()
        for number in STOPPING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks for, or a shell's `&`
                asyncio.get_running_loop().add_signal_handler(number, self._on_signal, end, number)
        starting = asyncio.create_task(self._start(servers, workers, end))
        starting.add_done_callback(partial(_end_on_error, end))
        try:
            await end
        finally:
            starting.cancel()
            await self._stop()

    async def _start(self, servers: Iterable[Program], workers: Iterable[Program], end: Future[None]) -> None:
        waiting = [self._start_child(program, end) for program in servers]
        await asyncio.gather(*(_until_ready(child) for child in waiting))
        for program in workers:
            self._start_child(program, end)
        await ready(self._url, self._settings)
        for child, _ in self._children:
            child.settled = True
        announce("foldstream_ready", url=self._url, data=str(self._data))
        announce_token(self._settings, self._data)

    def _start_child(self, program: Program, end: Future[None]) -> Child:
        child = Child(program, self._record, start=self._start_process)
        keeping = asyncio.create_task(child.keep(), name=program.name)
        keeping.add_done_callback(partial(_end_on_error, end))
        self._children.append((child, keeping))
        return child

    def _record(self) -> None:
        own: dict[str, str | int] = {"name": "supervisor", "pid": os.getpid()}
        folder.record(self._data, [own, *(_entry(child, child.pid) for child, _ in self._children if child.pid)])

    def _on_signal(self, end: Future[None], number: signal.Signals) -> None:
        if not end.done():
            _log.info("service_stopping", signal=number.name)
            end.set_result(None)
            return
        for child, _ in self._children:
            child.kill()

    async def _stop(self) -> None:
        self._listening.close()  # from now on callers are refused, instead of waiting for an API that ends
        for _, together in groupby(reversed(self._children), key=lambda each: each[0].program.kind):
            await asyncio.gather(*(child.stop(keeping) for child, keeping in together))
        folder.forget(self._data)
        _log.info("service_stopped")


def _entry(child: Child, pid: int) -> dict[str, str | int]:
    entry: dict[str, str | int] = {"name": child.program.name, "pid": pid}
    return entry if child.program.uri is None else entry | {"uri": child.program.uri}


async def _until_ready(child: Child) -> None:
    try:
        await asyncio.wait_for(child.ready.wait(), SERVER_SECONDS)
    except TimeoutError as error:
        raise NotReady(child.program.name, SERVER_SECONDS) from error


def _end_on_error(end: Future[None], task: Task[Any]) -> None:
    """An error in one of the tasks ends all."""
    if not task.cancelled() and (error := task.exception()) is not None and not end.done():
        end.set_exception(error)
