"""The processes that fold a generation: each some of its partitions, started again where one ends, and all ended."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Final, Self, TypeAlias

import structlog

from infrastructure.readmodels.pointers import Generation
from infrastructure.rebuilds.errors import RebuildStopped
from infrastructure.terminal import end_progress

Command: TypeAlias = Callable[[Generation, Sequence[int], int], Sequence[str]]
"""The command of a process that folds these partitions of a generation until SIGTERM, or until the pipe with that
number closes. It logs JSON to its errors."""
_STARTS: Final = 5  # of each process
_STOP_SECONDS: Final = 8.0
_SAID: Final = frozenset({"warning", "error", "critical"})
_logger = structlog.get_logger()


class Crew:
    """Runs while it is entered. `workers` share the partitions out in turn; there are no more than partitions.

    They end when this process does, however it ends: a pipe to each closes then. Ctrl-C reaches this process alone.
    """

    def __init__(self, command: Command, projection: str, generation: Generation, workers: int) -> None:
        self._command: Final = command
        self._projection: Final = projection
        self._generation: Final = generation
        number = min(workers, generation.partitions)
        self._shares: Final = [list(range(first, generation.partitions, number)) for first in range(number)]
        self._processes: Final[list[_Process]] = []
        self._held, self._holding = os.pipe()

    def tend(self, done: Container[int] = ()) -> list[int]:
        """Starts those again that have ended before all their partitions were `done`; their partitions.

        Raises RebuildStopped where one ends all the time.
        """
        ended = [each for each in self._processes if each.has_ended and not all(part in done for part in each.share)]
        for each in ended:
            if each.starts >= _STARTS:
                reason = f"a process that folds partitions {each.share} has ended {_STARTS} times: {each.reason}"
                raise RebuildStopped(self._projection, reason)
            _logger.warning("rebuild_process_ended", partitions=each.share, reason=each.reason)
            each.start()
        return [partition for each in ended for partition in each.share]

    def __enter__(self) -> Self:
        try:
            for share in self._shares:
                process = _Process(
                    self._command(self._generation, share, self._held), self._projection, share, self._held
                )
                self._processes.append(process)
                process.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _end(self) -> None:
        """Whoever has not ended in order within some seconds is killed."""
        for pipe in (self._holding, self._held):
            with suppress(OSError):
                os.close(pipe)
        end = time.monotonic() + _STOP_SECONDS
        for process in self._processes:
            process.stop()
        for process in self._processes:
            process.wait(end)


class _Process:
    """One of them. What it logs as a warning or worse is logged here; its last line is kept."""

    def __init__(self, command: Sequence[str], projection: str, share: list[int], pipe: int) -> None:
        self.share: Final = share
        self._projection: Final = projection
        self.starts = 0
        self._last_words = ""
        self._command: Final = command
        self._pipe: Final = pipe
        self._process: subprocess.Popen[str] | None = None
        self._begun: threading.Event | None = None
        self._refusal: OSError | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def reason(self) -> str:
        """Why it has ended: its last line, else the signal or its exit code."""
        assert self._process is not None
        code = self._process.returncode
        if self._last_words:
            return self._last_words
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    def start(self) -> None:
        """In a thread of its own: an interrupt in the midst of it leaves no process that nobody knows of."""
        self.starts += 1
        self._last_words = ""
        self._refusal, self._begun = None, threading.Event()
        threading.Thread(target=self._begin, args=(self._begun,), name="start of a rebuild process").start()
        self._begun.wait()
        if self._refusal is not None:  # the machine has no room for another process
            reason = f"a process that folds partitions {self.share} can't be started: {self._refusal.strerror}"
            raise RebuildStopped(self._projection, reason) from self._refusal

    def _begin(self, begun: threading.Event) -> None:
        try:
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(self._pipe,),
                start_new_session=True,
                text=True,
                errors="replace",
            )
        except OSError as error:
            self._refusal = error
            return
        finally:
            begun.set()
        threading.Thread(target=self._listen, args=(process.stderr,), name="rebuild process", daemon=True).start()

    def stop(self) -> None:
        if self._begun is not None:
            self._begun.wait(_STOP_SECONDS)  # an interrupt may have come before its thread began
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, end: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self, errors: IO[str] | None) -> None:
        assert errors is not None
        with errors:
            for line in errors:
                if line.strip():
                    self._last_words = line.strip()
                    self._pass_on(line)

    def _pass_on(self, line: str) -> None:
        try:
            logged = json.loads(line)
            event, level = str(logged.pop("event")), str(logged.pop("level"))
        except (ValueError, LookupError, TypeError, AttributeError):
            return  # what ends it is told when it has ended
        if level in _SAID:
            told = {name: value for name, value in logged.items() if name not in {"timestamp", "process"}}
            end_progress()
            (_logger.warning if level == "warning" else _logger.error)(event, pid=self.pid, **told)
