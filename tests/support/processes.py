"""Processes under test: started, their output read line by line, and ended with nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final

from tests.support.canaries import assert_untold, hear
from tests.support.forked import SETTINGS, Forked, become
from tests.support.polling import poll_until

FOLDSTREAM: Final = (sys.executable, "-P", "-m", "service")


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def descendants(pid: int) -> list[int]:
    """The pids of all processes below this one."""
    parents = {entry: parent for path in Path("/proc").glob("[0-9]*") if (parent := _parent(entry := int(path.name)))}
    found = [pid]
    for known in found:
        found.extend(entry for entry, parent in parents.items() if parent == known)
    return found[1:]


def children(pid: int) -> list[int]:
    """The pids of the processes that this one started directly."""
    return [below for below in descendants(pid) if _parent(below) == pid]


def _parent(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(status.rpartition(")")[2].split()[1])


def kill_hard(*pids: int) -> None:
    """SIGKILL, and waits until they are gone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    poll_until(lambda: not any(is_alive(pid) for pid in pids), seconds=10, what=f"the end of {pids}")


class Listened:
    """A started process whose output and errors are read as they come.

    One that is `held` has a pipe as its input, which closes when this process ends, however it ends. One of our program
    begins where that is loaded already, unless `environment` says where modules are; so does a function of a module.
    """

    def __init__(
        self, command: Sequence[str] | Callable[[], None], environment: Mapping[str, str], *, held: bool = False
    ) -> None:
        if callable(command):
            self._process: subprocess.Popen[str] | Forked = Forked(command, held=held)
        elif tuple(command[: len(FOLDSTREAM)]) == FOLDSTREAM and not held and "PYTHONPATH" not in environment:
            self._process = Forked(partial(become, tuple(command[len(FOLDSTREAM) :]), dict(environment)))
        else:
            self._process = _executed(command, environment, held=held)
        self._output, self._errors = _Lines(self._process.stdout), _Lines(self._process.stderr)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.poll()

    @property
    def output(self) -> list[str]:
        return list(self._output.lines)

    @property
    def errors(self) -> list[str]:
        return list(self._errors.lines)

    def line(self, beginning: str, *, within: float) -> str:
        """The first line of the output that begins so; fails when the process ends before it, or time does."""

        def found() -> str | None:
            ended = self.exit_code is not None and self._output.ended
            line = next((line for line in self._output.lines if line.startswith(beginning)), None)
            if line is None and ended:
                raise AssertionError(f"ended with {self.exit_code} before {beginning!r}")
            return line

        try:
            return str(poll_until(found, seconds=within, what=f"a line that begins with {beginning!r}"))
        except AssertionError as late:
            raise AssertionError(f"{late}; its errors: {self.errors[-3:]}") from late

    def wait(self, *, within: float) -> int:
        """The exit code, once it ended; its whole output has been read then."""
        code = self._process.wait(timeout=within)
        self.close_input()
        self._output.finish(within)
        self._errors.finish(within)
        self._assert_discreet()
        return code

    def send(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            self._process.send_signal(number)

    def close_input(self) -> None:
        """Closes the pipe of one that is held."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """SIGKILL, and waits for the end."""
        self.send(signal.SIGKILL)
        self._process.wait(timeout=10)
        self.close_input()
        self._assert_discreet()

    def _assert_discreet(self) -> None:
        assert_untold((*self._output.lines, *self._errors.lines))


def _executed(command: Sequence[str], environment: Mapping[str, str], *, held: bool) -> subprocess.Popen[str]:
    unset = [part for name in SETTINGS for part in ("-u", name)]
    given = [f"{name}={value}" for name, value in environment.items()]
    return subprocess.Popen(
        ["/usr/bin/env", *unset, *given, *command],
        stdin=subprocess.PIPE if held else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )


class _Lines:
    """The lines of a pipe so far."""

    def __init__(self, pipe: IO[str] | None) -> None:
        assert pipe is not None
        self.lines: list[str] = []
        self._pipe = pipe
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        return not self._reader.is_alive()

    def finish(self, within: float) -> None:
        self._reader.join(within)

    def _read(self) -> None:
        with self._pipe:
            for line in self._pipe:
                self.lines.append(line.rstrip("\n"))
                hear(line)
