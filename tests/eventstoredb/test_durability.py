"""What is left after the server was killed, or its disk was full."""

import contextlib
import resource
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException

from tests.support.eventstore import EventStoreProcess

ROUNDS, WRITERS = 4, 4


@dataclass
class Writer:
    """Appends to a stream of its own until the server goes; remembers what was acknowledged."""

    uri: str
    stream: str
    written: list[NewEvent] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with EventStoreDBClient(self.uri) as client, contextlib.suppress(EventStoreDBClientException):
            version: int | StreamState = StreamState.NO_STREAM
            while True:
                events = [NewEvent("Written", b"x" * 300) for _ in range(3)]
                client.append_events(self.stream, current_version=version, events=events, timeout=5)
                self.written += events
                version = len(self.written) - 1
                if len(self.written) >= 60:
                    self.enough.set()


def write_until_killed(process: EventStoreProcess, name: str) -> list[Writer]:
    writers = [Writer(process.uri, f"{name}-{number}") for number in range(WRITERS)]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    assert all(writer.enough.wait(20) for writer in writers)
    process.kill()
    for thread in threads:
        thread.join(20)
    return writers


def test_every_acknowledged_event_survives_a_kill_and_no_write_is_there_by_half(folder: Path) -> None:
    with EventStoreProcess(folder) as process:
        for round_number in range(ROUNDS):
            writers = write_until_killed(process, f"killed-{round_number}")
            process.start()
            assert_all_is_there(process, writers)


def assert_all_is_there(process: EventStoreProcess, writers: list[Writer]) -> None:
    """What was acknowledged, and perhaps the one write after it whose answer was lost."""
    with EventStoreDBClient(process.uri) as client:
        for writer in writers:
            kept = [event.id for event in client.get_stream(writer.stream)]
            acknowledged = [event.id for event in writer.written]
            assert kept[: len(acknowledged)] == acknowledged
            assert len(kept) in (len(acknowledged), len(acknowledged) + 3)


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
        process.process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        process.start()
        with EventStoreDBClient(process.uri) as client:
            assert len(client.get_stream("s")) == 1
