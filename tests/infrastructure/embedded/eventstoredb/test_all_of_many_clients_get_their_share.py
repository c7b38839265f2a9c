"""Two hundred followers and two hundred writers at once: all get their share, and the slow cost nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.embedded.eventstoredb.crowd import SECONDS
from tests.support.eventstore import EventStoreProcess


def besiege(folder: Path, count: int, most_bytes: int) -> None:
    """Each writer appends so many events."""
    with EventStoreProcess(folder) as process:
        command = [
            sys.executable,
            "-m",
            "tests.infrastructure.embedded.eventstoredb.crowd",
            *map(str, (process.port, process.process.pid, count)),
        ]
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS + 10, check=True, cwd=Path(__file__).parents[4]
        )
    outcome = json.loads(told.stdout)
    assert outcome.pop("grown bytes") < most_bytes
    assert outcome.pop("least when the first was done") >= count // 4
    assert outcome == {"in order": True, "all the same": True}


def test_all_get_their_share_and_a_reader_that_stalled_goes_on_where_it_was(folder: Path) -> None:
    besiege(folder, count=8, most_bytes=80_000_000)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_all_get_their_share_for_long(folder: Path) -> None:
    besiege(folder, count=60, most_bytes=120_000_000)
