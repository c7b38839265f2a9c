"""The guide to read models: its code, put into a copy of the project where it says, and what it says of that."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = (ROOT / "docs" / "guides" / "projections.md").read_text(encoding="utf-8")
MODULE: Final = "projections/cancellations.py"
CONSUMERS: Final = "service/consumers.py"
SPEC: Final = "tests/projections/test_cancelled_orders_say_why.py"
FINGERPRINT: Final = "tests/samples/projections/cancellations.1.json"
_COPIED: Final = (
    "domain",
    "projections",
    "infrastructure",
    "service",
    "tests/support",
    "tests/projections",
    "tests/domain",
    "tests/infrastructure/eventstore",
    "tests/samples",
)
_FILES: Final = ("pyproject.toml", "tests/__init__.py", "tests/conftest.py", "tests/infrastructure/__init__.py")


def blocks(language: str) -> list[str]:
    """The guide's blocks of code in this language, in their order."""
    return re.findall(rf"^```{language}\n(.+?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def copied_project(folder: Path) -> Path:
    """The project in that folder, with what the guide adds to it."""
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    for name in _FILES:
        shutil.copy2(ROOT / name, folder / name)
    for name, block in zip((MODULE, SPEC), blocks("python"), strict=True):
        (folder / name).write_text(block, encoding="utf-8")
    consumers = folder / CONSUMERS
    consumers.write_text(_patched(consumers.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def changed_files(folder: Path) -> dict[str, int]:
    """The files that are other ones there than in the project, and by how many lines they are longer."""
    return dict(_changed(folder))


def counted_files() -> dict[str, int | None]:
    """The same as the guide's table says it; None for what a command makes."""
    told = re.findall(r"^\| `([\w/.]+)` \| (?:(\d+) (?:new|more)|made by a command) \|", GUIDE, re.MULTILINE)
    return {name: int(lines) if lines else None for name, lines in told}


def _patched(text: str) -> str:
    [diff] = blocks("diff")
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line.startswith(" "))
        assert text.count(before) == 1, f"{before!r} is not there once"
        text = text.replace(before, "".join(line[1:] for line in lines))
    return text


def _changed(folder: Path) -> Iterator[tuple[str, int]]:
    for path in sorted(folder.rglob("*")):
        own = ROOT / path.relative_to(folder)
        if path.is_dir() or path.suffix == ".pyc":
            continue
        content, before = path.read_bytes(), own.read_bytes() if own.exists() else b""
        if content != before:
            yield str(path.relative_to(folder)), content.count(b"\n") - before.count(b"\n")
