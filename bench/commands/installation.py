"""Installs the libraries that we are compared with, once, each in a folder of its own."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

_PROGRAMS: Final = files("bench.commands.peers")
_SECONDS: Final = 600.0
CACHE: Final = Path(".cache", "foldstream", "bench")  # in the user's home


class NotInstalled(Exception):
    """A library can't be installed on this machine, for this reason."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A library: the commands that install it in a folder, and the program that works with it.

    `pins` is a file of ours that names the library's exact version; a folder with the same one is used again.
    """

    name: str
    pins: str
    program: str
    installation: tuple[tuple[str, ...], ...]
    runtime: str

    def command(self, cache: Path, *, install: bool) -> list[str]:
        """The command that starts its program; installs the library first if `install`. Raises NotInstalled."""
        folder = cache / self.name
        if not self._is_in(folder):
            if not install:
                raise NotInstalled("it is not installed")
            self._install(folder)
        program = folder / self.program  # a module of Node finds its libraries beside itself
        program.write_bytes(_PROGRAMS.joinpath(self.program).read_bytes())
        return [self._found(self.runtime, folder), str(program)]

    def _is_in(self, folder: Path) -> bool:
        marker = folder / "installed"
        return marker.is_file() and marker.read_bytes() == self._pinned

    @property
    def _pinned(self) -> bytes:
        return _PROGRAMS.joinpath(self.pins).read_bytes()

    def _install(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / self.pins).write_bytes(self._pinned)
        for step in self.installation:
            _do([self._found(step[0], folder), *step[1:]], folder)
        (folder / "installed").write_bytes(self._pinned)

    def _found(self, program: str, folder: Path) -> str:
        found = str(folder / program) if "/" in program and not program.startswith("/") else shutil.which(program)
        if found is None:
            raise NotInstalled(f"there is no {program}")
        return found


def _do(command: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip()).splitlines()
        raise NotInstalled(said[-1] if said else f"{command[0]} ended with {error.returncode}") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"{command[0]} took more than {_SECONDS:.0f} s") from error


_PIP: Final = ("venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
_NPM: Final = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")

EVENTSOURCING: Final = Peer(
    name=f"eventsourcing-python{sys.version_info.major}.{sys.version_info.minor}",
    pins="requirements.txt",
    program="eventsourcing_peer.py",
    installation=((sys.executable, "-m", "venv", "venv"), (*_PIP, "--requirement", "requirements.txt")),
    runtime="venv/bin/python",
)
EMMETT: Final = Peer(
    name="emmett", pins="package.json", program="emmett_peer.mjs", installation=(_NPM,), runtime="node"
)
