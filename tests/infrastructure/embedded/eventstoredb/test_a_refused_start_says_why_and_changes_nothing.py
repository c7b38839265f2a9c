"""Why the server does not start: one line, an exit code, and nothing changed."""

import fcntl
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from infrastructure.embedded.eventstoredb.storage.folder import FILE, LOCK
from tests.support.eventstore import DidNotStart, EventStoreProcess


def refusal(folder: Path, port: int = 0) -> str:
    """What a server says that does not start."""
    with pytest.raises(DidNotStart) as refused:
        EventStoreProcess(folder, port)
    assert refused.value.code == 1
    assert refused.value.errors.startswith("foldstream eventstore: ")
    assert refused.value.errors.count("\n") == 1
    return refused.value.errors.removeprefix("foldstream eventstore: ").rstrip("\n")


def write_something(folder: Path) -> None:
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            events = [NewEvent("T", b"x" * 1000) for _ in range(100)]
            client.append_events("s", current_version=StreamState.ANY, events=events)
        process.stop()


def test_a_folder_that_another_process_uses(folder: Path) -> None:
    with EventStoreProcess(folder):
        before = _kept(folder)
        assert refusal(folder) == f"{folder}: the data folder is in use by another process"
        assert _kept(folder) == before


def _kept(folder: Path) -> dict[str, bytes]:
    """What is in the files, but for the memory that the running server shares with itself."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def test_a_start_waits_for_the_predecessor_to_let_go_of_the_folder(folder: Path) -> None:
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        release = threading.Timer(1.0, fcntl.flock, (lock, fcntl.LOCK_UN))
        release.start()
        with EventStoreProcess(folder) as process:
            assert release.finished.is_set()
            assert process.is_running()


def test_a_folder_that_can_not_be_made(folder: Path) -> None:
    (folder / "file").write_text("in the way")
    where = folder / "file" / "data"
    assert refusal(where) == f"{where}: can't write there: Not a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_the_right_to_write(folder: Path) -> None:
    folder.chmod(0o500)
    assert refusal(folder) == f"{folder}: can't write there: Permission denied"


def test_a_file_that_is_no_database(folder: Path) -> None:
    (folder / FILE).write_bytes(b"These are the minutes of the meeting. " * 1000)
    before = (folder / FILE).read_bytes()
    assert refusal(folder) == f"{folder / FILE}: the event log can't be opened: file is not a database"
    assert (folder / FILE).read_bytes() == before


def test_a_database_of_somebody_else(folder: Path) -> None:
    with sqlite3.connect(folder / FILE) as other:
        other.execute("CREATE TABLE minutes (text TEXT)")
    other.close()
    before = (folder / FILE).read_bytes()
    assert refusal(folder) == f"{folder / FILE}: this is a database of another application"
    assert (folder / FILE).read_bytes() == before


def test_a_log_of_another_schema(folder: Path) -> None:
    write_something(folder)
    with sqlite3.connect(folder / FILE) as log:
        log.execute("PRAGMA user_version = 99")
    log.close()
    assert refusal(folder) == f"{folder / FILE}: the log has schema 99, this program reads 1"


def test_a_damaged_log(folder: Path) -> None:
    write_something(folder)
    content = bytearray((folder / FILE).read_bytes())
    content[16384 : len(content) - 8192] = b"\xa5" * (len(content) - 8192 - 16384)
    (folder / FILE).write_bytes(content)
    said = refusal(folder)
    assert said.startswith(f"{folder / FILE}: the event log ")
    assert "malformed" in said or "damaged" in said
    assert (folder / FILE).read_bytes() == content


def test_a_log_that_was_cut_short(folder: Path) -> None:
    write_something(folder)
    content = (folder / FILE).read_bytes()[: 8192 * 3 + 100]
    (folder / FILE).write_bytes(content)
    assert refusal(folder).startswith(f"{folder / FILE}: the event log ")


def test_a_port_in_use(folder: Path) -> None:
    with EventStoreProcess(None) as other:
        assert refusal(folder, other.port) == f"can't listen on 127.0.0.1:{other.port}: it is in use"
