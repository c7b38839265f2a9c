"""A server in memory that the tests of this folder share, clients of it, and names of their own."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2_grpc import StreamsStub

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
def stub(store: EventStoreProcess) -> Iterator[StreamsStub]:
    """The bare calls, for what the client has no method for."""
    with grpc.insecure_channel(f"127.0.0.1:{store.port}") as channel:
        yield StreamsStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations


@pytest.fixture
def stream() -> str:
    """A name that no other test has."""
    return f"source-{uuid4().hex}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder."""
    with TemporaryDirectory(prefix="foldstream-log-") as path:
        yield Path(path)
