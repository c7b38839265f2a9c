"""A server for tests that share one, and a client of it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient

from tests.support.eventstore import EventStoreProcess


@pytest.fixture(scope="session")
def store() -> Iterator[EventStoreProcess]:
    with EventStoreProcess(None) as process:
        yield process


@pytest.fixture
def client(store: EventStoreProcess) -> Iterator[EventStoreDBClient]:
    with EventStoreDBClient(store.uri) as connected:
        yield connected


@pytest.fixture
def stream() -> str:
    """A name that no other test has."""
    return f"source-{uuid4().hex}"
