"""Event stores in which a test is alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import open_reader
from service.cli.snapshots.selection import RULES, last_versions
from tests.infrastructure.eventstore.operator import operating
from tests.service.cli.snapshots.command import Store
from tests.support.eventstore import EventStoreProcess


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    with new_store() as store:
        yield store


@pytest.fixture
def store(server: Store) -> Iterator[Store]:
    """A store with nothing else in it: what is listed is all there is."""
    yield server
    for stream in last_versions(server.reader, tuple(RULES)):
        for each in (stream, snapshot_stream(stream), segment_stream(stream)):
            if not is_gone(server, each):
                server.operator.tombstone(each)


@pytest.fixture
def empty_store() -> Iterator[Store]:
    """One in which nothing was ever stored."""
    with new_store() as store:
        yield store


@contextmanager
def new_store() -> Iterator[Store]:
    with EventStoreProcess(None) as process, operating(process.uri) as operator, open_reader(process.uri) as reader:
        yield Store(process.uri, operator, reader)


def is_gone(store: Store, stream: str) -> bool:
    """Whether a stream was deleted for good."""
    try:
        store.records(stream)
    except StreamGone:
        return True
    return False
