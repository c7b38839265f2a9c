"""What tests of views share: a place of their own on the shared servers."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from infrastructure.readmodels.connection import connect
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.tallies import new_category
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.views.album import Album
from tests.infrastructure.views.told_log import ToldLog
from tests.support.redis_cluster import RedisCluster


@pytest.fixture
def namespace() -> str:
    """One that no other test uses."""
    return f"view-{uuid4().hex[:12]}"


@pytest.fixture
def category() -> str:
    """One that no other test has written to."""
    return new_category()


@pytest.fixture
def connection(redis_uri: str) -> Iterator[redis.Redis]:
    """A connection to the shared Redis."""
    with connect(redis_uri) as client:
        yield client


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    """One without replicas."""
    made = RedisCluster()
    yield made
    made.close()


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[ToldLog]:
    """A log of 80 events of tallies."""
    made = ToldLog(eventstore_uri, category)
    made.write(80)
    yield made
    made.close()


@pytest.fixture
def album(request: pytest.FixtureRequest, eventstore_uri: str, redis_uri: str, namespace: str, category: str) -> Album:
    """Views of the log's tallies and their sums, in four partitions or as many as a test says."""
    return Album(
        deployment(eventstore_uri, redis_uri, namespace, getattr(request, "param", 4)), summed(category, "tallies")
    )
