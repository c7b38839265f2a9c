"""The Dockerfile as instructions, and which files of the repository it is given."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.architecture.sources import ROOT

_CONTINUED: Final = re.compile(r"\\\n(?:\s*#[^\n]*\n)*")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its name, and the rest of its line."""

    name: str
    text: str


def stages() -> list[list[Instruction]]:
    """The instructions of the Dockerfile by stage; each begins with FROM."""
    found: list[list[Instruction]] = []
    for instruction in _instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        if instruction.name == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def _instructions(text: str) -> Iterator[Instruction]:
    for line in _CONTINUED.sub(" ", text).splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.strip().partition(" ")
            yield Instruction(name, " ".join(rest.split()))


def copied() -> list[str]:
    """What the build copies from the repository, in the order of the Dockerfile."""
    texts = [each.text for stage in stages() for each in stage if each.name == "COPY"]
    return [source for text in texts if not text.startswith("--from=") for source in text.split()[:-1]]


def given() -> list[str]:
    """What .dockerignore leaves of the repository, which it empties first."""
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] not in "#"]
    assert lines[0] == "*", "what is not named is not given"
    return [line.removeprefix("!") for line in lines[1:] if line.startswith("!")]


def shipped_files() -> set[str]:
    """The paths of all files of our packages, as the build is given them."""
    folders = [ROOT / name for name in copied() if (ROOT / name).is_dir()]
    return {_relative(path) for folder in folders for path in folder.rglob("*") if _is_given(path)}


def _is_given(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))
