"""Asks our server what a real EventStoreDB 24.10.4 was asked, and compares the answers, scenario by scenario.

The recorder and what the real server answered are in `tests/conformance`, taken in whole. Each part runs on a
server of its own; most of its time it waits, to see that nothing more comes.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.support.eventstore import EventStoreProcess

TOOLS = Path(__file__).parents[3] / "conformance"
REAL = TOOLS / "24.10.4"
# The longest first: those that wait the most.
PARTS = (
    "persistent/[g-r]*", "subscribe_stream/*", "subscribe_all/*", "persistent/[a-f]*", "persistent/[s-z]*",
    "projections/[ls]*", "append/*", "metadata/*", "raw/[a-r]*", "raw/[s-z]*", "walk/*",
    "read/*", "read_all/*", "delete/*", "compat/*", "gossip/*",
)  # fmt: skip
AT_ONCE = 4
PART_SECONDS = 110.0

NOT_RECORDED = {
    "projections/own": "is about a projection in JavaScript, which the embedded server can't run and says so",
}
# Where ours says something else, and why; the steps are counted from 1.
OTHERWISE: dict[str, dict[int, str]] = {
    "append/unicode": dict.fromkeys(
        (6, 10, 11, 12),
        "the real server breaks the response when a trailer is not ASCII; ours percent-encodes the trailer",
    ),
    "raw/services": {6: "a page of statistics, for which the embedded server has no figures"},
    "persistent/update": {18: "differs from run to run on the real server: the last known position, or nothing"},
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one run of the recorder said, and where it wrote the answers."""

    folder: Path
    log: str
    answers: dict[str, Any] = field(default_factory=dict)


def record(part: str, folder: Path) -> Recorded:
    """Runs some of the scenarios on a server of their own."""
    with EventStoreProcess(None) as process:
        command = [sys.executable, str(TOOLS / "record.py"), "--uri", process.uri, "--out", str(folder)]
        run = subprocess.run(
            [*command, "--only", part], capture_output=True, text=True, timeout=PART_SECONDS, check=False
        )
    return Recorded(folder, run.stderr, load(folder))


def load(folder: Path) -> dict[str, Any]:
    """The recordings in a folder, by the name of the scenario."""
    paths = folder.glob("*/*.json")
    return {f"{path.parent.name}/{path.stem}": json.loads(path.read_text("utf-8")) for path in paths}


EXPECTED = {name: found for name, found in load(REAL).items() if not {name, name.split("/")[0]} & NOT_RECORDED.keys()}


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Recorded]]]:
    """All parts, a few at a time."""
    with TemporaryDirectory(prefix="foldstream-conformance-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        yield {part: pool.submit(record, part, Path(folder) / str(n)) for n, part in enumerate(PARTS)}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", PARTS)
def test_it_answers_as_the_real_server_does(part: str, runs: dict[str, Future[Recorded]]) -> None:
    recorded = runs[part].result()
    wanted = {name: found for name, found in EXPECTED.items() if fnmatchcase(name, part)}
    assert set(recorded.answers) == set(wanted), recorded.log
    assert {name: differences(name, wanted[name], got) for name, got in recorded.answers.items()} == {
        name: [] for name in wanted
    }


def test_every_scenario_belongs_to_a_part() -> None:
    assert [name for name in EXPECTED if not any(fnmatchcase(name, part) for part in PARTS)] == []


def differences(name: str, wanted: dict[str, Any], got: dict[str, Any]) -> list[object]:
    """The steps that differ and should not."""
    if len(wanted["steps"]) != len(got["steps"]) or "error" in got:
        return [f"{len(got['steps'])} steps of {len(wanted['steps'])}", got.get("error")]
    pairs = enumerate(zip(wanted["steps"], got["steps"], strict=True), 1)
    allowed = OTHERWISE.get(name, {})
    return [(number, step, other) for number, (step, other) in pairs if step != other and number not in allowed]
