"""The units of systemd as sections, and how systemd itself is asked about them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import ROOT

FOLDER: Final = ROOT / "deploy" / "systemd"
PROGRAM: Final = "/opt/foldstream/bin/foldstream"
SERVICES: Final = ("foldstream-api.service", "foldstream-projections@.service", "foldstream-sagas@.service")
INSTALLED: Final = ("foldstream.target", "foldstream-api.socket", *SERVICES)


def values(unit: str, name: str) -> list[str]:
    """What a unit says by this name, each time that it does."""
    lines = (FOLDER / unit).read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.partition("=")[0] == name]


def value(unit: str, name: str) -> str:
    [found] = values(unit, name)
    return found


def variables(unit: str) -> dict[str, str]:
    """The variables that a process gets: those of the example of the file that the unit names, then its own."""
    assert value(unit, "EnvironmentFile") == "/etc/foldstream/environment"
    lines = [*_lines(FOLDER / "environment.example"), *values(unit, "Environment")]
    return dict(line.split("=", 1) for line in lines)


def _lines(path: Path) -> Iterator[str]:
    return (line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] not in {"", "#"})


def installed(folder: Path) -> list[Path]:
    """The units in a folder, with a program that there is, and of a template its first instance."""
    found = []
    for name in INSTALLED:
        text = (FOLDER / name).read_text(encoding="utf-8")
        path = folder / name.replace("@.", "@1.")
        path.write_text(text.replace(PROGRAM, sys.executable), encoding="utf-8")
        found.append(path)
    return found


def analyzed(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """What systemd-analyze says; the test is skipped where it is not installed."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
