"""What is left after the server ended in one way or another, or its disk was full."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException

from tests.support.eventstore import EventStoreProcess


def test_positions_and_versions_go_on_after_a_restart(folder: Path) -> None:
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            first = client.append_to_stream("s", current_version=StreamState.NO_STREAM, events=NewEvent("T", b"1"))
        assert process.stop() == 0
        process.start()
        with EventStoreDBClient(process.uri) as client:
            second = client.append_to_stream("s", current_version=0, events=NewEvent("T", b"2"))
            assert [event.commit_position for event in client.get_stream("s")] == [first, second]
            assert second > first


def test_a_repeat_is_known_after_a_kill(folder: Path) -> None:
    event = NewEvent("T", b"1")
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            first = client.append_to_stream("s", current_version=StreamState.ANY, events=event)
        process.kill()
        process.start()
        with EventStoreDBClient(process.uri) as client:
            assert client.append_to_stream("s", current_version=StreamState.ANY, events=event) == first
            assert len(client.get_stream("s")) == 1


@pytest.fixture
def small_files(folder: Path) -> Iterator[EventStoreProcess]:
    """A server whose files may not grow much: as on a full disk, writing fails."""
    with EventStoreProcess(folder) as process:
        limit(process, 400_000)
        yield process


def limit(process: EventStoreProcess, size: int) -> None:
    resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_fails_the_write_and_leaves_the_server_and_the_log_whole(
    small_files: EventStoreProcess,
) -> None:
    events = [NewEvent("T", b"x" * 90_000) for _ in range(8)]
    with EventStoreDBClient(small_files.uri) as client:
        client.append_to_stream("s", current_version=StreamState.NO_STREAM, events=NewEvent("T", b"1"))
        with pytest.raises(EventStoreDBClientException):
            client.append_events("s", current_version=0, events=events, timeout=5)
        assert len(client.get_stream("s")) == 1
        limit(small_files, resource.RLIM_INFINITY)
        client.append_events("s", current_version=0, events=events, timeout=5)
    small_files.kill()
    small_files.start()
    with EventStoreDBClient(small_files.uri) as client:
        assert [event.id for event in client.get_stream("s")][1:] == [event.id for event in events]


def test_a_server_that_is_told_to_stop_writes_what_it_accepted(folder: Path) -> None:
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            client.append_to_stream("s", current_version=StreamState.NO_STREAM, events=NewEvent("T", b"1"))
        process.process.send(signal.SIGTERM)
        assert process.wait() == 0
        process.start()
        with EventStoreDBClient(process.uri) as client:
            assert len(client.get_stream("s")) == 1
