"""An event store of each module's own: what no read model can fold would block those of other tests, too."""

from collections.abc import Iterator

import pytest

from tests.support.eventstore import EventStoreProcess


@pytest.fixture(scope="module")
def eventstore_uri() -> Iterator[str]:
    """A running event store."""
    with EventStoreProcess(None) as process:
        yield process.uri
