"""An event store of each module's own: what is listed is all that there is."""

from collections.abc import Iterator

import pytest

from tests.infrastructure.eventstore.operator import operating
from tests.service.cli.parked.till import Till
from tests.support.eventstore import EventStoreProcess


@pytest.fixture(scope="module")
def server() -> Iterator[Till]:
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        yield Till(process.uri, operator)


@pytest.fixture
def till(server: Till) -> Iterator[Till]:
    """A store whose groups are this test's alone."""
    yield server
    server.clear()
