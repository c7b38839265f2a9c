"""Event stores in which a test is alone, and a long stream that tests share."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
from esdbclient import EventStoreDBClient, StreamState
from esdbclient.exceptions import StreamIsDeleted

from infrastructure.eventstore.client import reader_client
from infrastructure.eventstore.streams import segment_stream, snapshot_stream
from service.cli.snapshots.selection import RULES, last_versions
from tests.snapshots.keeping import Long, grown
from tests.support.eventstore import EventStoreProcess


@pytest.fixture(scope="session")
def long_tally(eventstore_uri: str) -> Long:
    """Read by many, since it takes a second to write."""
    return asyncio.run(grown(eventstore_uri))


@pytest.fixture(scope="module")
def server() -> Iterator[EventStoreDBClient]:
    with EventStoreProcess(None) as process, reader_client(process.uri) as client:
        yield client


@pytest.fixture
def store(server: EventStoreDBClient) -> Iterator[EventStoreDBClient]:
    """A store with nothing else in it: what is listed is all there is."""
    yield server
    for stream in last_versions(server, tuple(RULES)):
        for each in (stream, snapshot_stream(stream), segment_stream(stream)):
            with suppress(StreamIsDeleted):
                server.tombstone_stream(each, current_version=StreamState.ANY, timeout=5)


@pytest.fixture
def empty_store() -> Iterator[EventStoreDBClient]:
    """One in which nothing was ever stored."""
    with EventStoreProcess(None) as process, reader_client(process.uri) as client:
        yield client
