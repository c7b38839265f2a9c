"""The store whose streams the tests look back on."""

from collections.abc import Iterator

import pytest

from tests.infrastructure.eventstore.operator import Operator, operating


@pytest.fixture
def store(eventstore_uri: str) -> Iterator[Operator]:
    with operating(eventstore_uri) as operator:
        yield operator
