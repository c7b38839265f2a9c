"""What tests of read models share: a place of their own on the shared servers."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys
from tests.infrastructure.readmodels.partitions import Worker, partition_of
from tests.infrastructure.readmodels.restored import Restored
from tests.infrastructure.readmodels.tallies import Tally, new_category
from tests.infrastructure.readmodels.workers import deployment
from tests.support.redis_cluster import RedisCluster


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


@pytest.fixture(scope="session")
def cluster() -> Iterator[RedisCluster]:
    """One without replicas, which no test leaves broken."""
    made = RedisCluster()
    yield made
    made.close()


@pytest.fixture
def replicated() -> Iterator[RedisCluster]:
    """One with replicas, of the test's own."""
    made = RedisCluster(replicated=True)
    yield made
    made.close()


@pytest.fixture
def deployed(eventstore_uri: str, redis_uri: str, namespace: str) -> Deployment:
    """Whose generations have one partition."""
    return deployment(eventstore_uri, redis_uri, namespace)


@pytest.fixture
def keys(namespace: str) -> PartitionKeys:
    return PartitionKeys(namespace, "tallies", 1, 0)


@pytest.fixture
def worker(connection: redis.Redis, keys: PartitionKeys) -> Worker:
    """Makes a worker of the one partition, at its stored checkpoint."""

    def make() -> Partition[Tally]:
        partition = partition_of(connection, keys)
        partition.load()
        return partition

    return make


@pytest.fixture
def restored(tmp_path: Path, redis_uri: str, namespace: str, category: str) -> Iterator[Restored]:
    made = Restored(tmp_path, redis_uri, namespace, category)
    yield made
    made.store.kill()
