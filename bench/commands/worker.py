"""A process of the bench in any language: it reads a line of work, and answers with lines of JSON."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, Self

from bench.figures import Run
from bench.store.server import StoreServer
from service.errors import ChildRefused, NotReady

_ROOT: Final = Path(__file__).parents[2]  # programs of the bench are not installed; they are found from here
_STARTED_WITHIN: Final = 60.0  # seconds
_LATE: Final = 60.0  # seconds, for an answer beyond the time that the work takes
_STOPPED_WITHIN: Final = 10.0


class Worker:
    """A program as a child of this process while the block lasts; it ends when its input does.

    `versions`: those of the libraries that it uses. Raises ChildRefused if it ends early, NotReady if it is silent.
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.versions: Mapping[str, str] = {}
        self._command = command
        self._lines: SimpleQueue[str] = SimpleQueue()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.versions = self._next(_STARTED_WITHIN)["versions"]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        self._end()

    def ask(self, what: str, seconds: float) -> dict[str, Any]:
        """Sends it work for so many seconds; its next line."""
        self.tell(f"{what} {seconds}")
        return self.answer(seconds)

    def tell(self, line: str) -> None:
        """Sends it a line."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # then it has ended, and its answer says so
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def answer(self, seconds: float) -> dict[str, Any]:
        """Its next line, after so many seconds of work."""
        return self._next(seconds + _LATE)

    def run(self, server: StoreServer, kind: str, seconds: float) -> Run:
        """Runs work against the server, measured from when it is prepared."""
        self.ask(kind, seconds)
        server_cpu = server.cpu_seconds
        did = self.answer(seconds)
        return Run(did["count"], did["seconds"], server.cpu_seconds - server_cpu, did["cpu_seconds"])

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except Empty as error:
            raise NotReady(self.name, seconds) from error
        if not line:
            raise ChildRefused(self.name, self._process.wait(_STOPPED_WITHIN), "")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _end(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def foldstream(uri: str, callers: int) -> Worker:
    """Our own command handler, in a process of its own as the other libraries have."""
    return Worker("Foldstream", [sys.executable, "-m", "bench.commands.foldstream_worker", uri, str(callers)])
