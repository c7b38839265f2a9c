"""A Redis with too little memory, and a policy that evicts any key: what it loses is mended, again and again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
import redis
import structlog

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.queries import ReadModels
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until
from tests.support.redis import RedisProcess

TALLIES = [f"{number:08x}" for number in range(600)]
OWNER = "ann" * 500  # so that rows weigh more than all else
PARTS = 6
RESTED = 3  # seconds


@pytest.fixture
def own() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


@pytest.fixture
def connection(own: RedisProcess) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own.uri) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory-samples", 64)
        yield client


@dataclass(frozen=True)
class Answers:
    """How many rows were right, and how many unavailable."""

    right: int
    unavailable: int


def asked(reader: Reader, projection: Projection[Tally], several: Sequence[str]) -> Answers:
    """Asks for each of these rows by itself; whatever is answered is right."""

    async def question(models: ReadModels) -> Answers:
        right = 0
        for tally in several:
            try:
                row = (await models.get(projection, tally)).row
            except ReadModelUnavailable:
                continue
            assert row is not None
            assert (row.owner, row.total, row.version) == (OWNER, int(tally, 16), 1)
            right += 1
        return Answers(right, len(several) - right)

    return reader.ask(question)


def folded(deployed: Deployment, projection: Projection[Tally]) -> None:
    """All rows are in Redis, and no worker holds them any more."""
    with Logbook(deployed.eventstore_uri, projection.category) as log:
        position = max(log.write(tally, Opened(owner=OWNER), Raised(by=int(tally, 16))) for tally in TALLIES)
    with ThreadWorker(deployed, projection):
        Reader(deployed).wait_until_available(projection)
        Reader(deployed).totals(projection, [], position)


def wait_until_evicted(connection: redis.Redis, keys: int) -> None:
    poll_until(lambda: connection.info("stats")["evicted_keys"] >= keys, seconds=WAIT, what="an eviction")


def are_older(connection: redis.Redis, keys: PartitionKeys) -> bool:
    """Whether rows rest for some seconds, and what the worker looks at every second was just looked at."""
    *resting, looked_at = (
        int(connection.object("idletime", key)) for key in (keys.row(TALLIES[0]), keys.row(TALLIES[-1]), keys.ids)
    )
    return min(resting) >= RESTED and looked_at == 0


def test_all_is_right_or_unavailable_and_comes_back_in_the_same_generation(
    eventstore_uri: str, own: RedisProcess, connection: redis.Redis, namespace: str, category: str
) -> None:
    deployed, projection = deployment(eventstore_uri, own.uri, namespace), tallies(category)
    reader, keys = Reader(deployed), PartitionKeys(namespace, "tallies", 1, 0)
    folded(deployed, projection)
    with structlog.testing.capture_logs() as lines, ThreadWorker(deployed, projection):
        poll_until(lambda: are_older(connection, keys), seconds=WAIT, what="rows at rest")
        connection.config_set("maxmemory", connection.info("memory")["used_memory"] - 300_000)
        answers = []
        for number in range(PARTS):  # who asks for all at once makes all of them the most recently used
            wait_until_evicted(connection, 20 * (number + 1))
            answers.append(asked(reader, projection, TALLIES[number::PARTS]))
        assert sum(each.unavailable for each in answers) > 0
        connection.config_set("maxmemory", 0)
        whole = Answers(len(TALLIES), 0)
        poll_until(lambda: asked(reader, projection, TALLIES) == whole, seconds=WAIT, what="the mending")
        assert len(reader.entries(projection, f"owner:{OWNER}", limit=100)) == len(TALLIES)
        health = reader.health(projection)
    assert (health.generation, health.repairs > 0) == (1, True)
    assert "generation_retired" not in {
        line["event"] for line in lines
    }  # where that is evicted too, numbers begin anew
