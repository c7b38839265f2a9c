"""A server with all system projections running, shared by the tests of this folder."""

from collections.abc import Iterator

import pytest
from esdbclient import EventStoreDBClient

from tests.infrastructure.embedded.eventstoredb.projections.linked import enable
from tests.support.eventstore import EventStoreProcess


@pytest.fixture(scope="session")
def store() -> Iterator[EventStoreProcess]:
    with EventStoreProcess(None) as process:
        with EventStoreDBClient(process.uri) as client:
            enable(client)
        yield process
