"""Commands of the command line, each in a process of its own, without the half second in which that loads."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.canaries import assert_untold
from tests.support.forked import PROGRAM, become, redirect


class Ended(NamedTuple):
    """How a command ended; the lines that it printed, and those of its errors."""

    code: int
    output: list[str]
    errors: list[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a command is run, what is typed into it (None: nobody is there), and whether its output is closed."""

    folder: Path | None = None
    typed: str | None = None
    closed: bool = False


HERE: Final = Surroundings()


class Command:
    """One that runs, and will end by itself. It inherits no setting."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], at: Surroundings = HERE) -> None:
        self._folder: Final = tempfile.TemporaryDirectory()
        self._process: Final = PROGRAM.Process(target=_run, args=(tuple(arguments), environment, self._folder.name, at))
        self._process.start()

    def wait(self, seconds: float = 30) -> Ended:
        """How it ended. Raises AssertionError where it goes on, and ends it."""
        code, output, errors = self.said(seconds)
        return Ended(code, output.splitlines(), errors.splitlines())

    def said(self, seconds: float = 30) -> tuple[int, str, str]:
        """How it ended, all that it printed, and all its errors, to the character. Raises as `wait` does."""
        with self._folder as folder:
            self._process.join(seconds)
            if self._process.exitcode is None:
                self._process.kill()
                raise AssertionError(f"it still runs after {seconds} s")
            output, errors = ((Path(folder) / name).read_bytes().decode() for name in ("output", "errors"))
            assert_untold((output, errors))
            return self._process.exitcode, output, errors


def ran(*arguments: str, **environment: str) -> Ended:
    """How such a command ended."""
    return Command(arguments, environment).wait()


def _run(arguments: tuple[str, ...], environment: Mapping[str, str], folder: str, at: Surroundings) -> None:
    """The command itself. Raises SystemExit."""
    (place := Path(folder) / "input").write_text(at.typed or "", encoding="utf-8")
    typed = os.open(os.devnull if at.typed is None else place, os.O_RDONLY)
    output, errors = (os.open(Path(folder) / name, os.O_WRONLY | os.O_CREAT) for name in ("output", "errors"))
    redirect(typed, None if at.closed else output, errors)
    os.chdir(at.folder or os.getcwd())
    become(arguments, environment)
