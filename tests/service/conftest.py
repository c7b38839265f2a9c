"""One whole service for all tests that only use it; those that break something start their own."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.service.client import Client
from tests.support.service import FoldstreamProcess


@pytest.fixture(scope="session")
def service(
    tmp_path_factory: pytest.TempPathFactory, eventstore_uri: str, redis_uri: str
) -> Iterator[FoldstreamProcess]:
    """On the servers of the whole run, with read models of its own."""
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": eventstore_uri,
        "FOLDSTREAM_REDIS_URI": redis_uri,
        "FOLDSTREAM_NAMESPACE": f"service-{uuid4().hex[:12]}",
    }
    with FoldstreamProcess(tmp_path_factory.mktemp("service"), environment) as started:
        yield started


@pytest.fixture
def client(service: FoldstreamProcess) -> Iterator[Client]:
    with Client(service.url) as opened:
        yield opened
