"""A whole service that is well, and an event store and a Redis beside it whose state tests change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventstore import EventStoreProcess
from tests.support.redis import RedisProcess
from tests.support.service import FoldstreamProcess


@pytest.fixture(scope="package")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoldstreamProcess]:
    with FoldstreamProcess(tmp_path_factory.mktemp("healthy")) as service:
        yield service
        service.kill_all()


@pytest.fixture(scope="package")
def store() -> Iterator[EventStoreProcess]:
    """In memory, without a worker."""
    with EventStoreProcess(None) as process:
        yield process


@pytest.fixture(scope="package")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    folder: Path = tmp_path_factory.mktemp("redis")
    process = RedisProcess(folder).start()
    yield process
    process.close()
