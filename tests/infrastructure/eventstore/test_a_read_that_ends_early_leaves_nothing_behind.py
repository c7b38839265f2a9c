"""Reads that are ended by their reader, fail or are cut short keep no connection open, and no memory in use."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.stream_patterns import category_pattern
from tests.infrastructure.eventstore.operator import operating
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

READS: Final = 40
OTHERS: Final = 10  # files that the rest of this process may open meanwhile
NOBODY: Final = "esdb://127.0.0.1:1?tls=false"


@pytest.fixture(scope="module")
def written() -> Iterator[tuple[str, str]]:
    """The URI of a store of its own, so that a read begins at once, and the pattern of a category with records."""
    with EventStoreProcess(None) as store:
        with operating(store.uri) as operator:
            operator.append("early-0", *[NewRecord("Noted", b"{}")] * 100)
        yield store.uri, category_pattern(["early"])


def open_files() -> int:
    """Of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def resident_kib() -> int:
    """The memory that this process has in use."""
    [line] = [line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def test_the_connection_of_a_reader_is_closed_with_it_whose_read_was_ended(written: tuple[str, str]) -> None:
    uri, pattern = written
    before = open_files()
    for _ in range(READS):
        with open_reader(uri) as reader, closing(reader.records(pattern)) as records:
            next(records)
    poll_until(lambda: open_files() < before + OTHERS, 10, what="the end of the connections")


def test_a_reader_that_finds_no_store_goes_on_connecting_no_longer_than_it_lives() -> None:
    before = open_files()
    for _ in range(READS):
        with suppress(StoreUnavailable), open_reader(NOBODY) as reader:
            reader.end()
    poll_until(lambda: open_files() < before + OTHERS, 10, what="the end of the connections")


def test_a_reader_that_is_kept_forgets_the_reads_that_were_ended(written: tuple[str, str]) -> None:
    """Each that was remembered took 22 KiB."""
    uri, pattern = written

    def end_some(reads: int) -> int:
        for _ in range(reads):
            with closing(reader.records(pattern)) as records:
                next(records)
        return resident_kib()

    with open_reader(uri) as reader:
        before = end_some(200)
        assert end_some(1_000) < before + 10_000


def test_a_subscription_is_stopped_while_another_thread_waits_for_its_next_record(written: tuple[str, str]) -> None:
    uri, pattern = written
    before = open_files()
    for _ in range(READS):
        with open_reader(uri) as reader:
            subscription = reader.subscribe(pattern, None)
            frames = iter(subscription)
            next(frames)
            rest = threading.Thread(target=deque, args=(frames, 0))
            rest.start()
            subscription.stop()
            rest.join(10)
            assert not rest.is_alive()
    poll_until(lambda: open_files() < before + OTHERS, 10, what="the end of the connections")
