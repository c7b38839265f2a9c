"""A client to look back with."""

from collections.abc import Iterator

import pytest
from esdbclient import EventStoreDBClient

from infrastructure.eventstore.client import reader_client


@pytest.fixture
def store(eventstore_uri: str) -> Iterator[EventStoreDBClient]:
    with reader_client(eventstore_uri) as client:
        yield client
