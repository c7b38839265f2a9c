"""What tests of read models share: a place of their own on the shared servers."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from infrastructure.readmodels.connection import connect
from tests.infrastructure.readmodels.tallies import new_category


@pytest.fixture
def namespace() -> str:
    """One that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def category() -> str:
    """One that no other test has written to."""
    return new_category()


@pytest.fixture
def connection(redis_uri: str) -> Iterator[redis.Redis]:
    """A connection to the shared Redis."""
    client = connect(redis_uri)
    yield client
    client.close()
