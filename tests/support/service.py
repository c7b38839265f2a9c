"""The whole service under test: `foldstream serve` with all its processes, in a folder of its own."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from service.addresses import lasting_port
from tests.support.callers import KEY
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened, descendants, is_alive, kill_hard

READY: Final = "foldstream_ready "


class FoldstreamProcess:
    """`foldstream serve` on a free port; the same port and folder whenever it is started again.

    `environment` may name a real event store and Redis (FOLDSTREAM_EVENTSTORE_URI, FOLDSTREAM_REDIS_URI) and a
    namespace; without them it runs the embedded ones in `data`. It inherits no other setting. One process folds, unless
    the environment says otherwise (an empty FOLDSTREAM_PROJECTION_WORKERS: as many as `serve` itself chooses). Its
    tokens are those that the key of tests signs. `options` are further ones of the command.
    """

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None, *options: str) -> None:
        self.data = data
        self._options = options
        self._environment = {
            "FOLDSTREAM_PROJECTION_WORKERS": "1",
            "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY),
            **(environment or {}),
        }
        self._port = lasting_port()
        self._process: Listened | None = None
        self._url: str | None = None

    def start(self, *, within: float = 60) -> Self:
        """Starts everything and waits for the ready line."""
        self.launch()
        return self.await_ready(within=within)

    def launch(self) -> Self:
        """Starts everything without waiting."""
        command = (*FOLDSTREAM, "serve", "--port", str(self._port), "--data", str(self.data), *self._options)
        self._process = Listened(command, self._environment)
        return self

    def await_ready(self, *, within: float = 60) -> Self:
        line = self.process.line(READY, within=within)
        self._url = dict(part.split("=", 1) for part in line.split()[1:])["url"]
        return self

    @property
    def process(self) -> Listened:
        """The supervisor."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def url(self) -> str:
        """Where the API answers, without a slash at its end."""
        assert self._url is not None, "not ready"
        return self._url

    @property
    def processes(self) -> dict[str, int]:
        """The pid of every process by its name, as the service lists them."""
        return {entry["name"]: entry["pid"] for entry in self._listed()}

    def uri_of(self, name: str) -> str:
        """Where a process answers: `eventstore`, `redis` or `api`."""
        return next(str(entry["uri"]) for entry in self._listed() if entry["name"] == name)

    def _listed(self) -> list[dict[str, Any]]:
        path = self.data / "run" / "processes.json"
        return list(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []

    def pid_of(self, name: str) -> int:
        return self.processes[name]

    def kill(self, name: str) -> int:
        """SIGKILL for one process; returns the pid that it had."""
        pid = self.pid_of(name)
        kill_hard(pid)
        return pid

    def await_restart(self, name: str, killed: int, *, within: float = 30) -> int:
        """The new pid of a process that was killed."""
        return poll_until(
            lambda: (pid := self.processes.get(name, killed)) != killed and is_alive(pid) and pid,
            seconds=within,
            what=f"{name} started again",
        )

    def kill_all(self) -> None:
        """SIGKILL for every process at once, as when the machine loses power."""
        if self.process.exit_code is not None:
            return
        below = descendants(self.process.pid)
        self.process.send(signal.SIGKILL)
        kill_hard(*below)
        self.process.kill()

    def stop(self, *, within: float = 40) -> int:
        """SIGTERM; returns the exit code once everything has ended."""
        pids = descendants(self.process.pid)
        self.process.send(signal.SIGTERM)
        code = self.process.wait(within=within)
        poll_until(lambda: not any(is_alive(pid) for pid in pids), seconds=5, what="the end of every process")
        return code

    def __enter__(self) -> Self:
        return self if self._process is not None else self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is None or self._process.exit_code is not None:
            return
        try:
            self.stop()
        finally:
            self.kill_all()
