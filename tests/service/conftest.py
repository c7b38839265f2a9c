"""One whole service for tests that only use it; those that break something start their own."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from service.settings import Settings
from tests.service.client import Client
from tests.support import servers
from tests.support.service import FoldstreamProcess


@pytest.fixture(scope="session")
def eventstore_uri() -> Iterator[str]:
    """An event store for whole services, which fold all that is in it: the other tests' is full of what they need not.

    One that the surroundings name is everybody's.
    """
    with servers.eventstore(Settings.from_environment().eventstore_uri) as server:
        yield server.uri


@pytest.fixture(scope="session")
def namespace() -> str:
    """That of the service's read models."""
    return f"service-{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, eventstore_uri: str, redis_uri: str, namespace: str
) -> Iterator[FoldstreamProcess]:
    """One for the tests of a module. It shares its servers with other tests, but no read models."""
    with started_in(tmp_path_factory.mktemp("service"), eventstore_uri, redis_uri, namespace) as started:
        yield started


def started_in(data: Path, eventstore_uri: str, redis_uri: str, namespace: str) -> FoldstreamProcess:
    """A service on these servers, to be entered."""
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": eventstore_uri,
        "FOLDSTREAM_REDIS_URI": redis_uri,
        "FOLDSTREAM_NAMESPACE": namespace,
        "FOLDSTREAM_AUDIT_STREAMS": "0",  # what it tells of read models that are well depends on when it is asked
    }
    return FoldstreamProcess(data, environment)


@pytest.fixture
def client(service: FoldstreamProcess) -> Iterator[Client]:
    with Client(service.url) as opened:
        yield opened
