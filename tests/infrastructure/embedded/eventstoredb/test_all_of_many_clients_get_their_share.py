"""Two hundred followers and two hundred writers at once: all get their share, and the slow cost nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.embedded.eventstoredb.crowd import SECONDS
from tests.support.eventstore import EventStoreProcess


@pytest.mark.parametrize(
    ("appends", "most_bytes"),
    [(8, 80_000_000), pytest.param(60, 120_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])],
)
def test_all_get_their_share_and_a_reader_that_stalled_goes_on_where_it_was(
    folder: Path, appends: int, most_bytes: int
) -> None:
    with EventStoreProcess(folder) as process:
        outcome = crowd(process, appends)
    assert outcome.pop("grown bytes") < most_bytes
    assert outcome.pop("least when the first was done") >= appends // 4
    assert outcome == {"in order": True, "all the same": True}


def crowd(process: EventStoreProcess, appends: int) -> dict[str, int]:
    """How the crowd fared, each of its writers having made so many appends."""
    arguments = map(str, (process.port, process.process.pid, appends))
    told = subprocess.run(
        [sys.executable, "-m", "tests.infrastructure.embedded.eventstoredb.crowd", *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS + 10,
        check=True,
        cwd=Path(__file__).parents[4],
    )
    outcome: dict[str, int] = json.loads(told.stdout)
    return outcome
