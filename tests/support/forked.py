"""Processes that are forked from one of this run which has loaded their modules already: they start in no time."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import IO, Final

from service.__main__ import main
from service.settings import VARIABLES

_FORKING: Final = multiprocessing.get_context("forkserver")
_loaded: Final[set[str]] = set()


def forking(module: str) -> ForkServerContext:
    """Makes processes that begin with this module loaded; to be called while modules are imported."""
    _loaded.add(module)
    _FORKING.set_forkserver_preload(sorted(_loaded))
    return _FORKING


PROGRAM: Final = forking("tests.support.loaded")
# Settings in the environment of the test run, which a process under test must not inherit.
SETTINGS: Final = VARIABLES


class Forked:
    """A process that runs this, with pipes for its output and errors; to be used as `subprocess.Popen` is.

    Its input is empty; that of one that is `held` is a pipe, which closes when this process ends, however it ends.
    """

    def __init__(self, body: Callable[[], None], *, held: bool = False) -> None:
        typed, output, errors = (multiprocessing.Pipe(duplex=False) for _ in range(3))
        files = resource.getrlimit(resource.RLIMIT_NOFILE)  # those of its starter, as if that had forked it
        given = (body, typed[0] if held else None, output[1], errors[1], files)
        self._process: Final = _FORKING.Process(target=_piped, args=given, daemon=held)
        self._process.start()
        typed[0].close()
        self.stdin: Connection | None = typed[1] if held else None
        if not held:
            typed[1].close()
        self.stdout, self.stderr = map(_read_end, (output, errors))

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """The exit code. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


def become(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Goes on as our program in a session of its own, with these variables and no other setting. Raises SystemExit."""
    os.setsid()
    for name in SETTINGS:
        os.environ.pop(name, None)  # noqa: TID251 - a child's
    os.environ.update(environment)  # noqa: TID251 - a child's
    tempfile.tempdir = None  # the variables say anew where it is
    sys.argv = ["foldstream", *arguments]
    main()


def redirect(typed: int, output: int | None, errors: int) -> None:
    """Makes these descriptors input, output (None: it is closed) and errors, and Python's streams anew, as it does."""
    os.dup2(typed, 0)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    os.dup2(errors, 2)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    if output is None:
        os.close(1)
        sys.stdout = None
    else:
        os.dup2(output, 1)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)


def _piped(
    body: Callable[[], None],
    typed: Connection | None,
    output: Connection,
    errors: Connection,
    files: tuple[int, int],
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, files)
    typed_from = os.open(os.devnull, os.O_RDONLY) if typed is None else typed.fileno()
    redirect(typed_from, output.fileno(), errors.fileno())
    body()


def _read_end(pipe: tuple[Connection, Connection]) -> IO[str]:
    """Of a pipe whose other end the process has; it ends with that."""
    reading, written = pipe
    written.close()
    descriptor = os.dup(reading.fileno())
    reading.close()
    return os.fdopen(descriptor, encoding="utf-8")
