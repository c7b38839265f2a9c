"""Files of a running log are unlinked, or its folder is swapped: the server says so and ends, and deletes nothing."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException
from structlog.testing import capture_logs

from infrastructure.embedded.eventstoredb.server import EventStore
from infrastructure.embedded.eventstoredb.storage.folder import FILE, LOCK
from infrastructure.embedded.eventstoredb.storage.high_water_mark import FILE as MARK
from tests.support.eventstore import DidNotStart, EventStoreProcess


def append(client: EventStoreDBClient) -> None:
    client.append_to_stream("s", current_version=StreamState.ANY, events=NewEvent("T", b"{}"), timeout=10)


def unlink_all(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def swap(folder: Path) -> None:
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.copytree(folder, copy)
    folder.rename(folder.with_name(f"{folder.name}-old"))
    copy.rename(folder)


def unlink(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


TAKEN: dict[str, Callable[[Path], None]] = {
    "all files unlinked": unlink_all,
    "the folder removed": shutil.rmtree,
    "the folder renamed": lambda folder: folder.rename(folder.with_name(f"{folder.name}-old")).touch(),
    "the folder swapped": swap,
    **{f"{name} unlinked": unlink(name) for name in (FILE, f"{FILE}-wal", f"{FILE}-shm", LOCK, MARK)},
}


@pytest.mark.parametrize("take", TAKEN.values(), ids=TAKEN.keys())
def test_the_server_ends_with_log_damaged(tmp_path: Path, take: Callable[[Path], None]) -> None:
    folder = tmp_path / "data"
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            append(client)
        take(folder)
        assert process.wait() == 1
        assert "log_damaged" in process.errors


def test_an_append_is_not_acknowledged_any_more(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with EventStoreProcess(folder) as process, EventStoreDBClient(process.uri) as client:
        append(client)
        unlink_all(folder)
        with pytest.raises(EventStoreDBClientException):
            append(client)


def test_what_was_put_in_the_place_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            for _ in range(3):
                append(client)
        swap(folder)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert process.wait() == 1
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        process.start()
        with EventStoreDBClient(process.uri) as client:
            assert len(client.get_stream("s")) == 3


def test_no_new_log_is_begun_where_the_old_one_was_taken_from(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            append(client)
        unlink_all(folder)
        assert process.wait() == 1
        with pytest.raises(DidNotStart, match="the event log is gone"):
            process.start()


def test_a_log_that_is_closed_is_not_taken_for_damaged(tmp_path: Path) -> None:
    """SQLite removes files as it closes, and the watch that looks twice a second may come after that."""

    async def story() -> None:
        store = await EventStore.start("127.0.0.1", 0, tmp_path, projections=None, security=None)
        broken = asyncio.create_task(store.log.broken())
        await store.stop()
        assert not (tmp_path / f"{FILE}-wal").exists()
        others = asyncio.all_tasks() - {asyncio.current_task(), broken}
        await asyncio.wait(others, timeout=1)
        await broken

    with capture_logs() as lines:
        asyncio.run(story())
    assert [line["event"] for line in lines] == []
