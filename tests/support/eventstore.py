"""The embedded event store as a process of its own, ended in every way that matters."""

import os
import re
import resource
import signal
import sys
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

from infrastructure.embedded.eventstoredb.command import run
from service.addresses import lasting_port
from tests.support.forked import forking
from tests.support.processes import Listened

forking(__name__)
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
_READY: Final = re.compile(r"eventstore_ready uri=(esdb://127\.0\.0\.1:\d+\?tls=false) data=.+")


class DidNotStart(Exception):
    """Carries the errors that the process wrote, and its exit code."""

    def __init__(self, code: int | None, errors: str) -> None:
        super().__init__(f"exit code {code}: {errors}")
        self.code, self.errors = code, errors


class EventStoreProcess:
    """A server on a folder or in memory; it keeps its port when it is started again.

    It ends by itself when the process that started it ends.
    """

    def __init__(self, data: Path | None, port: int = 0) -> None:
        self.data, self.port = data, port or lasting_port()
        self.uri = ""
        self.process: Listened
        self.start()

    def start(self) -> None:
        """Returns when the server answers. Raises DidNotStart."""
        self.process = Listened(partial(_serve, self.port, self.data), {}, held=True)
        try:
            ready = _READY.fullmatch(self.process.line("eventstore_ready ", within=START_SECONDS))
        except AssertionError as late:
            self.kill()
            raise DidNotStart(self.process.exit_code, self.errors) from late
        assert ready is not None
        self.uri = ready[1]

    @property
    def errors(self) -> str:
        """What the server has written to stderr."""
        return "".join(f"{line}\n" for line in self.process.errors)

    def kill(self) -> None:
        """As a power cut would: SIGKILL."""
        self.process.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send(signal.SIGTERM)
        return self.wait()

    def abandon(self) -> int:
        """Closes the pipe by which the server knows that its starter is alive; the exit code."""
        self.process.close_input()
        return self.wait()

    def wait(self) -> int:
        """The exit code of a server that is ending."""
        return self.process.wait(within=STOP_SECONDS)

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process.exit_code is None

    def __enter__(self) -> "EventStoreProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running():
            self.kill()


def _serve(port: int, data: Path | None) -> None:
    os.setsid()
    sys.exit(run(host="127.0.0.1", port=port, data=data, stop_when_closed=0))


def limit_files(pid: int, size: int = 1000) -> None:
    """Lets no file of a process grow beyond this size: for a store, the disk is full."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def unlimit_files(pid: int) -> None:
    """There is room again."""
    limit_files(pid, resource.RLIM_INFINITY)


def resident_bytes(process: EventStoreProcess) -> int:
    """The resident memory of the server."""
    return resident_bytes_of(process.process.pid)


def resident_bytes_of(pid: int) -> int:
    """The resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
