"""What tests of rebuilds share: a read model of their own, which a worker follows."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.infrastructure.readmodels.tallies import new_category
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.rebuilds.site import Site
from tests.support.redis_cluster import RedisCluster


@pytest.fixture
def site(eventstore_uri: str, redis_uri: str) -> Iterator[Site]:
    """Tallies in two partitions, raised some times, and followed by a worker."""
    with Site(deployment(eventstore_uri, redis_uri, f"test-{uuid4().hex[:12]}", 2), new_category()) as made:
        yield made


@pytest.fixture
def unworked(eventstore_uri: str, redis_uri: str) -> Iterator[Site]:
    """The same without a worker: nothing was built yet."""
    deployed = deployment(eventstore_uri, redis_uri, f"test-{uuid4().hex[:12]}", 2)
    with Site(deployed, new_category(), worked=False) as made:
        yield made


@pytest.fixture(scope="session")
def cluster() -> Iterator[RedisCluster]:
    """One without replicas."""
    made = RedisCluster()
    yield made
    made.close()
