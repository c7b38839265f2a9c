"""A history that is sixty times longer takes as much memory to look back on: it is printed as it is read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from operator import sub
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import pytest

from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.history.ledger import CODEC, deposited, metadata, opened
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.small_disk import small_disk

SHORT, LONG = 100, 6000
PADDING: Final = "x" * 8_000  # of each event; all of the long history have 48 MB
LITTLE: Final = 30_000  # KiB more: for a page or two of events, which have 4 MB, and the headings of a tree
# The peak of a child counts from before it runs its own program, so it is started by a process that has little.
MEASURED: Final = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


class History(NamedTuple):
    """A stream, and the correlation id of its events."""

    stream: str
    correlation_id: UUID


@pytest.fixture(scope="module")
def eventstore_uri() -> Iterator[str]:
    """A store of its own: services fold all that is in another."""
    with EventStoreProcess(None) as process:
        yield process.uri


@pytest.fixture(scope="module")
def histories(eventstore_uri: str) -> Iterator[tuple[History, History]]:
    """A short and a long one."""
    with operating(eventstore_uri) as store:
        yield told(store, SHORT), told(store, LONG)


def told(store: Operator, length: int) -> History:
    """That of an account with so many events."""
    history, account = History(f"account-{(own := uuid4())}", uuid4()), str(own)
    events = (opened(account), *[deposited(account, "1.00")] * (length - 1))
    records = [CODEC.encode(event, metadata(event, correlation=history.correlation_id)) for event in events]
    for first in range(0, length, 100):
        store.append(history.stream, *map(padded, records[first : first + 100]))
    return history


def padded(record: NewRecord) -> NewRecord:
    """With a field that nobody reads, as a later release may add."""
    return record._replace(data=json.dumps(json.loads(record.data) | {"padding": PADDING}).encode())


def peak(uri: str, *arguments: str) -> int:
    """The most memory that the command had, in KiB: the less of two runs, since buffers grow on a busy machine."""
    command = [sys.executable, "-c", MEASURED, *FOLDSTREAM, *arguments]
    environment = {"FOLDSTREAM_EVENTSTORE_URI": uri}
    runs = (subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60) for _ in range(2))
    return min(int(run.stdout) for run in runs)


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("verb", ["changes", "trace"])
def test_a_stream_and_a_tree_of_any_length_are_shown(
    eventstore_uri: str, histories: tuple[History, History], verb: str, options: tuple[str, ...]
) -> None:
    names = [each.stream if verb == "changes" else str(each.correlation_id) for each in histories]
    short, long = (peak(eventstore_uri, verb, name, *options) for name in names)
    assert long - short < LITTLE


def test_a_disk_without_room_for_the_data_of_a_tree_is_told(
    eventstore_uri: str, histories: tuple[History, History], tmp_path: Path
) -> None:
    environment = {"FOLDSTREAM_EVENTSTORE_URI": eventstore_uri, "TMPDIR": str(tmp_path)}
    with small_disk(tmp_path, "1m"):
        process = Listened((*FOLDSTREAM, "trace", str(histories[1].correlation_id), "--json"), environment)
        assert process.wait(within=60) == 1
    reason = f"no temporary file can be written in {tmp_path}: No space left on device; TMPDIR may name another folder"
    assert (process.output, process.errors) == ([], [f"foldstream trace: {reason}"])


def test_a_stream_of_any_length_is_exported_and_replayed(
    eventstore_uri: str, histories: tuple[History, History], tmp_path: Path
) -> None:
    file = str(tmp_path / "export.jsonl")

    def peaks(history: History) -> list[int]:
        return [
            peak(eventstore_uri, "export", history.stream, "--out", file),
            peak(eventstore_uri, "replay", file),
            peak(eventstore_uri, "replay", file, "--step", "--json"),
        ]

    short, long = map(peaks, histories)
    assert [each for each in map(sub, long, short) if each >= LITTLE] == []
