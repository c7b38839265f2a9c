"""Worker processes of sagas, as `foldstream sagas` runs them, for the bench."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import IO, Final

from service.consumers import SAGAS
from service.errors import NotReady

_JOINED_WITHIN: Final = 60.0  # seconds
_LOOK: Final = 0.1
_JOINED: Final = b'"saga_subscription_joined"'
_LONGEST_LOG: Final = 2**20  # bytes
_STOPPED_WITHIN: Final = 10.0
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


class SagaWorkers:
    """Some processes that run all sagas on a store; they end with the bench."""

    def __init__(self, processes: list[subprocess.Popen[bytes]]) -> None:
        self._processes: Final = processes

    @property
    def cpu_seconds(self) -> float:
        """The processor time that they have taken so far."""
        return sum(_cpu_seconds(process.pid) for process in self._processes)


@contextmanager
def saga_workers(number: int, eventstore: str, redis: str) -> Iterator[SagaWorkers]:
    """So many processes, all of which have joined the group of each saga; while the block lasts. Raises NotReady."""
    ours, pipe = os.pipe()
    with TemporaryFile() as logs:
        processes = [_started(ours, logs, eventstore, redis) for _ in range(number)]
        os.close(ours)
        try:
            _wait_until_joined(number * len(SAGAS), logs)
            yield SagaWorkers(processes)
        finally:
            os.close(pipe)
            for process in processes:
                _end(process)


def _started(pipe: int, logs: IO[bytes], eventstore: str, redis: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "service", "sagas", "--stop-when-closed", str(pipe)]
    servers = ("--eventstore", eventstore, "--redis", redis)
    return subprocess.Popen([*command, *servers], stdout=logs, stderr=logs, pass_fds=(pipe,))


def _wait_until_joined(subscriptions: int, logs: IO[bytes]) -> None:
    end = monotonic() + _JOINED_WITHIN
    while os.pread(logs.fileno(), _LONGEST_LOG, 0).count(_JOINED) < subscriptions:
        if monotonic() > end:
            raise NotReady("a worker of sagas", _JOINED_WITHIN)
        sleep(_LOOK)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
