"""One whole service for all tests that only use it; those that break something start their own."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from service.settings import Settings, variable_of
from tests.service.client import Client
from tests.support.service import FoldstreamProcess


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoldstreamProcess]:
    """On the servers that the surroundings name, else on embedded ones; with a namespace of its own."""
    settings = Settings.from_environment()
    uris = {"eventstore_uri": settings.eventstore_uri, "redis_uri": settings.redis_uri}
    environment = {variable_of(name): uri for name, uri in uris.items() if uri is not None}
    environment[variable_of("namespace")] = f"test-{uuid4().hex[:12]}"
    with FoldstreamProcess(tmp_path_factory.mktemp("service"), environment) as started:
        yield started


@pytest.fixture
def client(service: FoldstreamProcess) -> Iterator[Client]:
    with Client(service.url) as opened:
        yield opened
