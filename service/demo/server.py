"""`foldstream serve` as the demo's own child, on a free port and embedded servers."""

import json
import subprocess
import sys
from collections import deque
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import IO, Any, Final, Self

from service.errors import ServiceError

READY_WITHIN: Final = 60.0  # seconds
STOPPED_WITHIN: Final = 30.0
READY: Final = "foldstream_ready "


class NotReady(ServiceError):
    """The service ended, or was silent for too long; carries the last lines that it wrote."""


class Server:
    """The whole service in `folder` while the block lasts; it is stopped in order at the end."""

    namespace: Final = "foldstream"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-P", "-m", "service", "serve", "--port", "0", "--data", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.url = self._ready_line().split("url=")[1].split()[0]
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        self._stop()

    @property
    def processes(self) -> dict[str, int]:
        """Name and pid of every process."""
        return {entry["name"]: entry["pid"] for entry in self._listed()}

    @property
    def eventstore_uri(self) -> str:
        return self._uri_of("eventstore")

    @property
    def redis_uri(self) -> str:
        return self._uri_of("redis")

    def _uri_of(self, name: str) -> str:
        return str(next(entry["uri"] for entry in self._listed() if entry["name"] == name))

    def _listed(self) -> list[dict[str, Any]]:
        return list(json.loads((self._folder / "run" / "processes.json").read_text(encoding="utf-8")))

    def _ready_line(self) -> str:
        lines: Queue[str | None] = Queue()
        Thread(target=_forward, args=(self._process.stdout, lines), daemon=True).start()
        last: deque[str] = deque(maxlen=5)
        end = monotonic() + READY_WITHIN
        while (line := _next(lines, end)) is not None:
            if line.startswith(READY):
                return line
            last.append(line.rstrip())
        raise NotReady("the service did not become ready; its last lines: " + " | ".join(last))

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _forward(pipe: IO[str] | None, lines: "Queue[str | None]") -> None:
    """Reads to the end, so that the service never waits for a full pipe; keeps lines until one says ready."""
    ready = False
    for line in pipe or ():
        if not ready:
            lines.put(line)
        ready = ready or line.startswith(READY)
    lines.put(None)


def _next(lines: "Queue[str | None]", end: float) -> str | None:
    try:
        return lines.get(timeout=max(0.0, end - monotonic()))
    except Empty:
        return None
