"""The event store of whole services under test."""

from collections.abc import Iterator

import pytest

from service.settings import Settings
from tests.support import servers


@pytest.fixture(scope="session")
def eventstore_uri() -> Iterator[str]:
    """An event store for whole services, which fold all that is in it: the other tests' is full of what they need not.

    One that the surroundings name is everybody's.
    """
    with servers.eventstore(Settings.from_environment().eventstore_uri) as server:
        yield server.uri
