"""An event store of their own: others would be listed, too."""

from collections.abc import Iterator

import pytest

from tests.infrastructure.eventstore.operator import Operator, operating
from tests.support.eventstore import EventStoreProcess


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    """In memory, without system projections."""
    with EventStoreProcess(None) as process:
        yield process.uri


@pytest.fixture(scope="module")
def operator(uri: str) -> Iterator[Operator]:
    """Whoever writes to it by other means."""
    with operating(uri) as found:
        yield found
