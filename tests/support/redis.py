"""A Redis server process of a test's own: started, stopped, killed and started again on the same data."""

import os
import shutil
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Final, Self

from infrastructure.embedded.redis import run
from tests.support.forked import forking
from tests.support.processes import Listened

forking(__name__)
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
_READY: Final = "redis_ready uri="


class RedisProcess:
    """Made, not started. Without `data` it has a temporary folder, which `close` removes; it ends with this process."""

    def __init__(self, data: Path | None = None) -> None:
        self._temporary = Path(tempfile.mkdtemp(prefix="fs-redis-")) if data is None else None
        self.data = data or self._temporary or Path()
        self.uri = ""
        self._process: Listened | None = None

    def start(self) -> Self:
        """Returns when the server answers; raises RuntimeError with its errors if it does not start."""
        process = Listened(partial(_serve, self.data), {}, held=True)
        try:
            self.uri = process.line(_READY, within=START_SECONDS).removeprefix(_READY)
        except AssertionError as late:
            process.send(signal.SIGKILL)
            process.wait(within=STOP_SECONDS)
            raise RuntimeError("".join(f"{line}\n" for line in process.errors)) from late
        self._process = process
        return self

    @property
    def pid(self) -> int:
        """The pid of the wrapper."""
        return self._running.pid

    @property
    def server_pid(self) -> int:
        """The pid of the server itself, the wrapper's only child."""
        return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    @property
    def _running(self) -> Listened:
        assert self._process is not None, "not started"
        return self._process

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self._process is None:
            return 0
        self._process.send(signal.SIGTERM)
        return self._ended()

    def close_pipe(self) -> int:
        """Closes the pipe, as the end of the starting process would; the exit code."""
        self._running.close_input()
        return self._ended()

    def kill(self) -> None:
        """SIGKILL for the server itself, at any instruction."""
        os.kill(self.server_pid, signal.SIGKILL)
        self._ended()

    def kill_wrapper(self) -> None:
        """SIGKILL for the wrapper alone."""
        self._running.send(signal.SIGKILL)
        self._ended()

    def close(self) -> None:
        """Stops, and removes a temporary folder."""
        self.stop()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _ended(self) -> int:
        process, self._process = self._running, None
        return process.wait(within=STOP_SECONDS)


def _serve(data: Path) -> None:
    os.setsid()
    sys.exit(run(data=data, stop_when_closed=0))
