"""Commands of the command line, each in a process of its own, without the half second in which that loads."""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from service.__main__ import main
from tests.support.forked import forking
from tests.support.processes import SETTINGS

_FORKING: Final = forking("service.cli.main")


class Ended(NamedTuple):
    """How a command ended; the lines that it printed, and those of its errors."""

    code: int
    output: list[str]
    errors: list[str]


class Command:
    """One that runs, and will end by itself. It inherits no setting, and nobody is there to answer its questions."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._folder: Final = tempfile.TemporaryDirectory()
        self._process: Final = _FORKING.Process(target=_run, args=(arguments, environment, self._folder.name))
        self._process.start()

    def wait(self, seconds: float = 30) -> Ended:
        """How it ended. Raises AssertionError where it goes on, and ends it."""
        with self._folder as folder:
            self._process.join(seconds)
            if self._process.exitcode is None:
                self._process.kill()
                raise AssertionError(f"it still runs after {seconds} s")
            output, errors = ((Path(folder) / name).read_text(encoding="utf-8") for name in ("output", "errors"))
            return Ended(self._process.exitcode, output.splitlines(), errors.splitlines())


def ran(*arguments: str, **environment: str) -> Ended:
    """How such a command ended."""
    return Command(*arguments, **environment).wait()


def _run(arguments: tuple[str, ...], environment: Mapping[str, str], folder: str) -> None:
    """The command itself. Raises SystemExit."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "output"), (2, "errors")):
        os.dup2(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT), number)
    for name in SETTINGS:
        os.environ.pop(name, None)  # noqa: TID251 - a child's
    os.environ.update(environment)  # noqa: TID251 - a child's
    sys.argv = ["foldstream", *arguments]
    main()
