"""A backup of a log that is written to: all that was acknowledged before is in the copy, or there is no copy."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.embedded.eventstoredb.storage.backup import back_up
from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.eventstore.operator import operating
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

STREAM: Final = "counted-1"
BEFORE: Final = 100  # events that are acknowledged when the copying begins
BATCH: Final = 10


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(tmp_path_factory.mktemp("store")) as process:
        yield process


def append_until(stop: threading.Event, uri: str, acknowledged: list[int]) -> None:
    """Batch after batch; how many events there are after each."""
    with operating(uri) as operator:
        while not stop.is_set():
            number = len(acknowledged) * BATCH
            operator.append(STREAM, *(NewRecord("Counted", b"%d" % (number + each)) for each in range(BATCH)))
            acknowledged.append(number + BATCH)


def counted(folder: Path) -> list[int]:
    """What a server on this folder has in the stream."""
    with EventStoreProcess(folder) as copy, operating(copy.uri) as operator:
        return [int(record.data) for record in operator.reader.page(STREAM, 0, 1_000_000) or ()]


def test_what_was_acknowledged_before_is_in_the_copy_without_a_gap(store: EventStoreProcess, tmp_path: Path) -> None:
    assert store.data is not None
    stop, acknowledged = threading.Event(), list[int]()
    writing = threading.Thread(target=append_until, args=(stop, store.uri, acknowledged))
    writing.start()
    try:
        poll_until(lambda: acknowledged and acknowledged[-1] >= BEFORE, seconds=30, what="enough events")
        begun = acknowledged[-1]
        made = back_up(store.data, tmp_path / "copy")
        poll_until(lambda: acknowledged[-1] > begun, seconds=30, what="an event after the copying")
    finally:
        stop.set()
        writing.join()
    assert [path.name for path in made.folder.iterdir()] == ["events.db"]
    found = counted(made.folder)
    assert found == list(range(len(found)))
    assert begun <= len(found) <= acknowledged[-1]


def test_it_goes_into_no_folder_that_has_anything_in_it(store: EventStoreProcess, tmp_path: Path) -> None:
    assert store.data is not None
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(StartRefused, match="a backup goes into a new folder or an empty one"):
        back_up(store.data, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_where_there_is_no_log_there_is_no_copy(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="there is no event log"):
        back_up(tmp_path / "nothing", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_another_application_s_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with sqlite3.connect(tmp_path / "other" / "events.db") as other:
        other.execute("CREATE TABLE records (position INTEGER)")
    with pytest.raises(StartRefused, match="this is a database of another application"):
        back_up(tmp_path / "other", tmp_path / "copy")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "events.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StartRefused, match="the event log can't be copied: file is not a database"):
        back_up(tmp_path / "other", tmp_path / "copy")
