"""`foldstream serve` as the demo's own child, on a free port and embedded servers."""

import json
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic, time
from typing import IO, Any, Final, Self

from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules
from infrastructure.access.development_key import FILE, development_token
from service.errors import ChildRefused, NotReady
from service.settings import VARIABLES, Settings

READY_WITHIN: Final = 60.0  # seconds
STOPPED_WITHIN: Final = 30.0
_TOKEN_SECONDS: Final = 3600
READY: Final = "foldstream_ready "
# Whatever the surroundings name is somebody else's, who wants no demo in it.
WITHOUT_SETTINGS: Final = (
    "/usr/bin/env",
    *(part for variable in VARIABLES for part in ("-u", variable)),
)


class Server:
    """The whole service in `folder` while the block lasts, on servers of its own; it is stopped in order at the end.

    `settings` are variables for it, beside which it has none. Entering raises ChildRefused or NotReady, with the last
    lines that the service wrote.
    """

    namespace: Final = Settings().namespace

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._settings = [f"{name}={text}" for name, text in (settings or {}).items()]
        self.url = ""

    def __enter__(self) -> Self:
        serve = (sys.executable, "-P", "-m", "service", "serve", "--port", "0", "--data", str(self._folder))
        command = [*WITHOUT_SETTINGS, *self._settings, *serve]
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
    def token(self) -> str:
        """One of an administrator, good for as long as a demo takes, signed by the key of its folder."""
        demo = Caller("demo", frozenset({"administrator"}))
        return development_token(self._folder / FILE, demo, TokenRules(), time(), _TOKEN_SECONDS)

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
        said = " | ".join(last)
        if (code := self._process.poll()) is not None:
            raise ChildRefused("the service", code, said)
        raise NotReady("the service", READY_WITHIN, said)

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
