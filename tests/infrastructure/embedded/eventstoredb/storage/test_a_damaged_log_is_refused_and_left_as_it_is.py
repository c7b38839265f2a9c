"""A log that was damaged, cut or robbed while no server ran: refused, and left exactly as it is."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.embedded.eventstoredb.storage.folder import FILE, open_log
from infrastructure.embedded.eventstoredb.storage.high_water_mark import FILE as MARK
from tests.support.eventstore import DidNotStart, EventStoreProcess

WAL = f"{FILE}-wal"
WAL_FRAME = 24 + 8192


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a killed server left: some of the log in the database, some of it only in the write-ahead file."""
    folder = tmp_path_factory.mktemp("killed")
    with EventStoreProcess(folder) as process:
        write(process)
        assert process.stop() == 0
        process.start()
        write(process)
        process.kill()
    assert (folder / WAL).stat().st_size > 10 * WAL_FRAME
    return folder


def write(process: EventStoreProcess) -> None:
    with EventStoreDBClient(process.uri) as client:
        for _ in range(10):
            events = [NewEvent("T", b"x" * 1000) for _ in range(20)]
            client.append_events("s", current_version=StreamState.ANY, events=events)


@pytest.fixture
def left(killed: Path, folder: Path) -> Iterator[Path]:
    """A copy of it, to be spoilt."""
    shutil.copytree(killed, folder, dirs_exist_ok=True)
    yield folder
    shutil.rmtree(folder)
    folder.mkdir()


def content(folder: Path) -> dict[str, bytes]:
    """Everything but SQLite's shared memory, which holds nothing of the log, and what is empty."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}
    return {name: data for name, data in found.items() if data}


def refusal(folder: Path) -> str:
    """Why the log is not opened; nothing was changed."""
    before = content(folder)
    with pytest.raises(StartRefused) as refused:
        open_log(folder)
    assert content(folder) == before
    return str(refused.value).removeprefix(f"{folder / FILE}: ")


def overwrite(path: Path, at: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * size)


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


DATABASE: dict[str, Callable[[Path], None]] = {
    "its first page": lambda path: overwrite(path, 0, 4096),
    "a page of the tables": lambda path: overwrite(path, 3 * 8192, 3 * 8192),
    "its last page": lambda path: overwrite(path, path.stat().st_size - 8192, 8192),
    "cut in the middle": lambda path: cut(path, path.stat().st_size // 2),
    "cut in a page": lambda path: cut(path, path.stat().st_size - 100),
    "cut to one page": lambda path: cut(path, 8192),
}


@pytest.mark.parametrize("spoil", DATABASE.values(), ids=DATABASE.keys())
def test_a_spoilt_database_is_refused(left: Path, spoil: Callable[[Path], None]) -> None:
    spoil(left / FILE)
    (left / WAL).unlink()  # it would put most of this right
    assert refusal(left).startswith("the event log ")


AHEAD: dict[str, Callable[[Path], None]] = {
    "its header": lambda path: overwrite(path, 0, 32),
    "one byte of a frame in the middle": lambda path: overwrite(path, 32 + 4 * WAL_FRAME + 1000, 1),
    "one byte of the last frame": lambda path: overwrite(path, last_frame(path) + 1000, 1),
    "cut in the middle": lambda path: cut(path, 32 + 4 * WAL_FRAME),
    "cut by one byte": lambda path: cut(path, path.stat().st_size - 1),
    "empty": lambda path: cut(path, 0),
    "gone": lambda path: path.unlink(),
}


def last_frame(path: Path) -> int:
    return path.stat().st_size - WAL_FRAME


@pytest.mark.parametrize("spoil", AHEAD.values(), ids=AHEAD.keys())
def test_a_spoilt_write_ahead_file_is_refused_as_acknowledged_events_are_missing(
    left: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(left / WAL)
    assert refusal(left).endswith(f"events are missing; to go on without them, delete the file {MARK}")


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: cut(path, 0)], ids=["gone", "empty"])
def test_a_database_that_is_gone_is_not_begun_anew(left: Path, spoil: Callable[[Path], None]) -> None:
    spoil(left / FILE)
    assert refusal(left) == "the event log is gone; what belongs to it is still there"


def test_a_server_says_so_in_one_line_and_leaves_everything_as_it_is(left: Path) -> None:
    cut(left / WAL, 32 + 4 * WAL_FRAME)
    before = content(left)
    with pytest.raises(DidNotStart) as refused:
        EventStoreProcess(left)
    assert (refused.value.code, refused.value.errors.count("\n")) == (1, 1)
    assert content(left) == before


def test_without_the_mark_a_server_goes_on_with_what_is_there(left: Path) -> None:
    cut(left / WAL, 32 + 4 * WAL_FRAME)
    (left / MARK).unlink()
    with EventStoreProcess(left) as process, EventStoreDBClient(process.uri) as client:
        kept = len(client.get_stream("s"))
        assert 200 <= kept < 400
        client.append_to_stream("s", current_version=kept - 1, events=NewEvent("T", b"{}"))


def test_what_a_crash_left_of_a_log_that_was_never_begun_is_no_hindrance(folder: Path) -> None:
    (folder / FILE).touch()
    (folder / f"{FILE}.new").write_bytes(b"half")
    for connection in open_log(folder):
        connection.close()
    assert not (folder / f"{FILE}.new").exists()


def test_an_acknowledged_event_is_forced_to_the_disk(folder: Path) -> None:
    writing, reading = open_log(folder)
    settings = [writing.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    writing.close()
    reading.close()
    assert settings == ["wal", 2]
