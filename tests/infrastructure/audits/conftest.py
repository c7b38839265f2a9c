"""What tests of audits share: a connection, a category of their own, a cluster."""

from collections.abc import Iterator

import pytest
import redis

from infrastructure.readmodels.connection import connect
from tests.infrastructure.readmodels.tallies import new_category
from tests.support.redis_cluster import RedisCluster


@pytest.fixture
def category() -> str:
    """One that no other test has written to."""
    return new_category()


@pytest.fixture
def connection(redis_uri: str) -> Iterator[redis.Redis]:
    """A connection to the shared Redis."""
    with connect(redis_uri) as client:
        yield client


@pytest.fixture(scope="session")
def cluster() -> Iterator[RedisCluster]:
    """One without replicas."""
    made = RedisCluster()
    yield made
    made.close()
