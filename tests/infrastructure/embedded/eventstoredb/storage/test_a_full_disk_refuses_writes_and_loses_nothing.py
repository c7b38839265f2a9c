"""Disks that are full and files that may not be written: a clear word, and nothing lost or changed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException, NotFound, WrongCurrentVersion

from infrastructure.embedded.eventstoredb.storage.folder import FILE
from tests.infrastructure.embedded.eventstoredb.groups.listener import Listener
from tests.support.eventstore import DidNotStart, EventStoreProcess, limit_files, unlimit_files
from tests.support.polling import poll_until
from tests.support.small_disk import small_disk

NOBODY = 65534
# As another user from the moment when everything is loaded: that user need not be able to read the program.
_RUN_AS_NOBODY = (
    "import os, pathlib, socket, sys\n"
    "from infrastructure.embedded.eventstoredb.command import run\n"
    "socket.getaddrinfo('127.0.0.1', 80)\n"
    f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    "sys.exit(run(host='127.0.0.1', port=0, data=pathlib.Path(sys.argv[1])))"
)
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can become somebody else")


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    with small_disk(folder, "4m"):
        yield folder


def append(client: EventStoreDBClient, size: int = 1000) -> None:
    client.append_to_stream("s", current_version=StreamState.ANY, events=NewEvent("T", b"x" * size), timeout=10)


def test_a_full_disk_refuses_writes_until_there_is_room_again(disk: Path) -> None:
    with EventStoreProcess(disk) as process, EventStoreDBClient(process.uri) as client:
        append(client)
        fill(disk / "ballast")
        written = append_until_refused(client)
        assert len(client.get_stream("s")) == written + 1
        (disk / "ballast").unlink()
        append(client, 100_000)
        process.kill()
        process.start()
        with EventStoreDBClient(process.uri) as again:
            assert len(again.get_stream("s")) == written + 2


def test_health_tells_while_no_write_succeeds_and_when_they_do_again(disk: Path) -> None:
    with EventStoreProcess(disk) as process, EventStoreDBClient(process.uri) as client:
        append(client)
        assert health(process) == 204
        fill(disk / "ballast")
        append_until_refused(client)
        assert health(process) == 503
        with pytest.raises(EventStoreDBClientException) as refused:  # though there is nothing to write
            client.append_to_stream("s", current_version=StreamState.NO_STREAM, events=NewEvent("T", b""), timeout=10)
        assert not isinstance(refused.value, WrongCurrentVersion)
        (disk / "ballast").unlink()
        poll_until(lambda: health(process) == 204, seconds=10, what="health without an append")
        with pytest.raises(WrongCurrentVersion):
            client.append_to_stream("s", current_version=StreamState.NO_STREAM, events=NewEvent("T", b""), timeout=10)


def health(process: EventStoreProcess) -> int:
    return httpx.get(f"http://127.0.0.1:{process.port}/health/live", trust_env=False).status_code


@pytest.mark.parametrize("is_new", [True, False], ids=["a new log", "an existing log"])
def test_a_start_on_a_full_disk_says_what_to_free(disk: Path, is_new: bool) -> None:
    if not is_new:
        with EventStoreProcess(disk) as process:
            process.stop()
    fill(disk / "ballast")
    with pytest.raises(DidNotStart) as refused:
        EventStoreProcess(disk)
    assert refused.value.errors.endswith(f"; the disk of {disk} is full: free some space there, and start again\n")
    assert refused.value.errors.count("\n") == 1


def test_a_start_on_a_full_disk_is_refused_or_good_for_reading(disk: Path) -> None:
    with EventStoreProcess(disk) as process:
        with EventStoreDBClient(process.uri) as client:
            append(client)
        process.kill()
        fill(disk / "ballast")
        before = (disk / FILE).read_bytes()
        try:
            process.start()
        except DidNotStart:
            assert (disk / FILE).read_bytes() == before
            (disk / "ballast").unlink()
            process.start()
        with EventStoreDBClient(process.uri) as client:
            assert len(client.get_stream("s")) == 1


def test_a_new_log_on_a_full_disk_is_refused_and_leaves_nothing_in_the_way(disk: Path) -> None:
    fill(disk / "ballast")
    with pytest.raises(DidNotStart, match="foldstream eventstore: "):
        EventStoreProcess(disk)
    (disk / "ballast").unlink()
    with EventStoreProcess(disk) as process, EventStoreDBClient(process.uri) as client:
        append(client)


def fill(ballast: Path) -> None:
    """Takes all the room there is."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def append_until_refused(client: EventStoreDBClient) -> int:
    """How many appends were acknowledged before the first that was not."""
    for written in range(10_000):
        try:
            append(client)
        except EventStoreDBClientException:
            return written
    raise AssertionError("the disk is not full")


def test_a_group_on_a_full_disk_goes_on_and_catches_up_with_what_it_could_not_write(folder: Path) -> None:
    with EventStoreProcess(folder) as process, EventStoreDBClient(process.uri) as client:
        for _ in range(6):
            append(client)
        client.create_subscription_to_stream("group", "s", min_checkpoint_count=1, max_checkpoint_count=1)
        listener = Listener(client, "group", "s")
        events = listener.take(6)
        limit_files(process.process.pid)
        listener.refuse(events[:1], "park")
        listener.acknowledge(events[1:3])
        poll_until(lambda: "messages_not_parked" in process.errors, seconds=20, what="parking in vain")
        assert listener.take(1)[0].stream_position == 0
        unlimit_files(process.process.pid)
        listener.refuse(events[:1], "park")
        listener.acknowledge(events[3:])
        poll_until(lambda: checkpoint(client) == b'"5"', seconds=20, what="the checkpoint")
        assert client.get_subscription_info("group", "s").parked_message_count == 1


def checkpoint(client: EventStoreDBClient) -> bytes:
    try:
        return client.get_stream("$persistentsubscription-s::group-checkpoint", backwards=True, limit=1)[0].data
    except NotFound:
        return b""


UNWRITABLE: dict[str, Callable[[Path], None]] = {
    "the folder": lambda folder: folder.chmod(0o555),
    "the lock": lambda folder: (folder / "lock").chmod(0o444),
    "the log": lambda folder: (folder / FILE).chmod(0o444),
    "the log, and not readable": lambda folder: (folder / FILE).chmod(0),
    "the mark": lambda folder: (folder / "mark").chmod(0o444),
}


@only_root
@pytest.mark.parametrize("lock_up", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_what_the_server_may_not_write_it_does_not_serve(folder: Path, lock_up: Callable[[Path], None]) -> None:
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            append(client)
        process.stop()
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    lock_up(folder)
    for path in (folder, *folder.iterdir()):
        if not path.stat().st_mode & 0o200:
            os.chown(path, 0, 0)
    before = content(folder)
    refused = run_as_nobody(folder)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"foldstream eventstore: {folder}")
    assert refused.stderr.count("\n") == 1
    assert content(folder) == before


def content(folder: Path) -> dict[str, bytes]:
    """Without SQLite's shared memory, and what is empty."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}
    return {name: data for name, data in found.items() if data}


def run_as_nobody(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _RUN_AS_NOBODY, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[5],
    )
