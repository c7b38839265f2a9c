"""Runs Schemathesis against a running API, in a process of its own, and reads what it found."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[2]
_RUN: Final = "from schemathesis.cli import schemathesis; schemathesis()"


@dataclass(frozen=True, slots=True)
class Calls:
    """What came of random calls: `operations` that were tried of all, how many calls, and what was not as described.

    `told` is what Schemathesis printed, with each call that failed.
    """

    operations: str
    number: int
    findings: list[dict[str, Any]]
    told: str

    def __str__(self) -> str:
        return f"{self.operations} operations, {self.number} calls, {len(self.findings)} findings"


def call_at_random(url: str, authorization: str, folder: Path, *options: str, within: float) -> Calls:
    """Calls what the OpenAPI document at `url` describes, with these options of `st run`."""
    report = folder / "report.json"
    settings = ("--config-file", str(_HERE / "schemathesis.toml"), "--no-color")
    call = ("run", f"{url}/openapi.json", "--header", f"Authorization: {authorization}", *options)
    written = ("--report", "json", "--report-json-path", str(report))
    command = [sys.executable, "-c", _RUN, *settings, *call, *written]
    told = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=within, check=False)
    assert report.exists(), told.stdout + told.stderr
    said = json.loads(report.read_text(encoding="utf-8"))
    operations = f"{said['operations']['tested']} of {said['operations']['total']}"
    return Calls(operations, said["test_cases"]["generated"], [*said["failures"], *said["errors"]], told.stdout)
