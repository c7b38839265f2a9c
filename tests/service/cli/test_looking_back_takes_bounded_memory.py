"""A history that is forty times longer takes as much memory to look back on: it is printed as it is read."""

import json
import subprocess
import sys
from collections.abc import Iterator
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

SHORT, LONG = 50, 2000
PADDING: Final = "x" * 32_000  # of each event; all of the long history have 64 MB
LITTLE: Final = 45_000  # KiB more: for a page of events, what gRPC has received meanwhile, and the headings of a tree
# The peak of a child counts from before it runs its own program, so it is started by a process that has little.
MEASURED: Final = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


class History(NamedTuple):
    """A long stream, the correlation id of its events, and how much memory a short one takes to be shown, in KiB."""

    stream: str
    correlation_id: UUID
    ordinary: int


@pytest.fixture(scope="module")
def eventstore_uri() -> Iterator[str]:
    """A store of its own: services fold all that is in another."""
    with EventStoreProcess(None) as process:
        yield process.uri


@pytest.fixture(scope="module")
def history(eventstore_uri: str) -> Iterator[History]:
    correlation = uuid4()
    with operating(eventstore_uri) as store:
        short, long = (told(store, length, correlation) for length in (SHORT, LONG))
        yield History(long, correlation, peak(eventstore_uri, "changes", short))


def told(store: Operator, length: int, correlation: UUID) -> str:
    """The stream of an account with so many events."""
    account = str(uuid4())
    events = (opened(account), *[deposited(account, "1.00")] * (length - 1))
    records = [CODEC.encode(event, metadata(event, correlation=correlation)) for event in events]
    for first in range(0, length, 25):
        store.append(f"account-{account}", *map(padded, records[first : first + 25]))
    return f"account-{account}"


def padded(record: NewRecord) -> NewRecord:
    """With a field that nobody reads, as a later release may add."""
    return record._replace(data=json.dumps(json.loads(record.data) | {"padding": PADDING}).encode())


def peak(uri: str, *arguments: str) -> int:
    """The most memory that the command had, in KiB."""
    command = [sys.executable, "-c", MEASURED, *FOLDSTREAM, *arguments]
    environment = {"FOLDSTREAM_EVENTSTORE_URI": uri}
    return int(subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout)


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("verb", ["changes", "trace"])
def test_a_stream_and_a_tree_of_any_length_are_shown(
    eventstore_uri: str, history: History, verb: str, options: tuple[str, ...]
) -> None:
    what = history.stream if verb == "changes" else str(history.correlation_id)
    assert peak(eventstore_uri, verb, what, *options) - history.ordinary < LITTLE


def test_a_disk_without_room_for_the_data_of_a_tree_is_told(
    eventstore_uri: str, history: History, tmp_path: Path
) -> None:
    environment = {"FOLDSTREAM_EVENTSTORE_URI": eventstore_uri, "TMPDIR": str(tmp_path)}
    with small_disk(tmp_path, "1m"):
        process = Listened((*FOLDSTREAM, "trace", str(history.correlation_id), "--json"), environment)
        assert process.wait(within=60) == 1
    reason = f"no temporary file can be written in {tmp_path}: No space left on device; TMPDIR may name another folder"
    assert (process.output, process.errors) == ([], [f"foldstream trace: {reason}"])


def test_a_stream_of_any_length_is_exported_and_replayed(eventstore_uri: str, history: History, tmp_path: Path) -> None:
    file = str(tmp_path / "long.jsonl")
    peaks = [
        peak(eventstore_uri, "export", history.stream, "--out", file),
        peak(eventstore_uri, "replay", file),
        peak(eventstore_uri, "replay", file, "--step", "--json"),
    ]
    assert [each for each in peaks if each - history.ordinary >= LITTLE] == []
