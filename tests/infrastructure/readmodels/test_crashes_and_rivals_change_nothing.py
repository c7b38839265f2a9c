"""Workers that are killed at any instruction, or run twice: the rows are those of one uninterrupted run."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import redis

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import raises, tallies
from tests.infrastructure.readmodels.workers import ProcessWorker, ThreadWorker, deployment
from tests.support.polling import poll_until

TALLIES, TIMES = 40, 25


@pytest.fixture
def written(eventstore_uri: str, category: str) -> tuple[dict[str, int], int]:
    """A thousand events: the totals they make, and the last one's position."""
    several = new_tallies(TALLIES)
    with Logbook(eventstore_uri, category) as log:
        log.open(several, owner=category)
        position = log.raise_all(several, TIMES)
        return dict(log.totals), position


def everything(deployed: Deployment) -> dict[bytes, Any]:
    """Rows and indexes of both read models, whatever their partitions."""
    found: dict[bytes, Any] = {}
    with connect(deployed.redis_uri) as connection:
        for name, key in keys(connection, deployed.namespace):
            place = name.encode() + key.partition(b"}")[2]
            kind = connection.type(key)
            if place.endswith(b":sizes"):
                counted = {index: int(size) for index, size in connection.hgetall(key).items() if index}
                found[place] = Counter(found.get(place, {})) + Counter(counted)
            elif kind == b"hash":
                found[place] = connection.hgetall(key)
            elif kind == b"zset":
                found[place] = sorted([*found.get(place, []), *connection.zrange(key, 0, -1, withscores=True)])
    return found


def keys(connection: redis.Redis, namespace: str) -> Iterator[tuple[str, bytes]]:
    """All keys of generations, with their projection's name."""
    for name in ("tallies", "raises"):
        for key in connection.scan_iter(match=ProjectionKeys(namespace, name).generations_pattern):
            yield name, key


def uninterrupted(eventstore_uri: str, redis_uri: str, category: str, position: int) -> dict[bytes, object]:
    """What a run makes of it that nobody disturbs."""
    deployed = deployment(eventstore_uri, redis_uri, f"calm-{category}")
    with ThreadWorker(deployed, tallies(category), raises(category)):
        reach(deployed, category, position)
    return everything(deployed)


def reach(deployed: Deployment, category: str, position: int) -> None:
    reader = Reader(deployed)
    for projection in (tallies(category), raises(category)):
        reader.wait_until_available(projection)
        reader.totals(projection, [], position)


def lose_some(deployed: Deployment, random: Random) -> None:
    """A row or an index in ten, from Redis alone."""
    with connect(deployed.redis_uri) as connection:
        parts = [key for _, key in keys(connection, deployed.namespace) if b"}:row:" in key or b"}:index:" in key]
        for key in random.sample(parts, len(parts) // 10):
            connection.delete(key)


@pytest.mark.parametrize("partitions", [pytest.param(1, marks=pytest.mark.soak), 4])
def test_a_worker_killed_again_and_again_while_redis_loses_rows_and_indexes(
    partitions: int,
    eventstore_uri: str,
    redis_uri: str,
    namespace: str,
    category: str,
    written: tuple[dict[str, int], int],
) -> None:
    totals, position = written
    deployed = deployment(eventstore_uri, redis_uri, namespace, partitions)
    random = Random(partitions)
    for _ in range(6):
        worker = ProcessWorker(deployed, category).wait_until_it_follows()
        with Logbook(eventstore_uri, category) as log:
            log.raise_all(totals, 2)
            position = log.raise_all(random.sample(list(totals), random.randint(1, TALLIES)))
            lose_some(deployed, random)
            worker.kill()  # while it follows, a batch or so behind
            totals = {tally: totals[tally] + log.totals[tally] for tally in totals}
    expected = uninterrupted(eventstore_uri, redis_uri, category, position)
    last = ProcessWorker(deployed, category)
    poll_until(lambda: everything(deployed) == expected, seconds=WAIT, what="the same rows and indexes")
    assert Reader(deployed).totals(tallies(category), list(totals), position) == totals
    assert [Reader(deployed).health(each(category)).generation for each in (tallies, raises)] == [1, 1]
    assert last.stop() == 0


def test_two_workers_of_one_name_on_the_same_partitions(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str, written: tuple[dict[str, int], int]
) -> None:
    totals, position = written
    deployed = deployment(eventstore_uri, redis_uri, namespace, partitions=2)
    rivals = [ProcessWorker(deployed, category).wait_until_it_follows() for _ in range(2)]
    reach(deployed, category, position)
    with Logbook(eventstore_uri, category) as log:
        for _ in range(20):
            position = log.raise_all(totals, 1)
        expected = {tally: totals[tally] + log.totals[tally] for tally in totals}
    reach(deployed, category, position)
    assert Reader(deployed).totals(tallies(category), list(totals), position) == expected
    assert [rival.stop() for rival in rivals] == [0, 0]
    assert everything(deployed) == uninterrupted(eventstore_uri, redis_uri, category, position)


def test_when_one_of_two_dies_the_other_goes_on(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str, written: tuple[dict[str, int], int]
) -> None:
    totals, position = written
    deployed = deployment(eventstore_uri, redis_uri, namespace)
    first = ProcessWorker(deployed, category, "first").wait_until_it_follows()
    reach(deployed, category, position)
    second = ProcessWorker(deployed, category, "second")
    first.kill()
    with Logbook(eventstore_uri, category) as log:
        position = log.raise_all(totals, 1)
    reach(deployed, category, position)
    assert second.stop() == 0


def test_partitions_make_no_difference_to_what_is_answered(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str, written: tuple[dict[str, int], int]
) -> None:
    totals, position = written
    answers = []
    for partitions in (1, 4):
        deployed = deployment(eventstore_uri, redis_uri, f"{namespace}-{partitions}", partitions)
        with ThreadWorker(deployed, tallies(category), raises(category)):
            reach(deployed, category, position)
            reader = Reader(deployed)
            lists = [reader.entries(tallies(category), f"owner:{category}", limit) for limit in (1, 7, 100)]
            lists.append(reader.entries(raises(category), f"history:{category}", 33))
            answers.append((reader.totals(tallies(category), list(totals), position), lists))
    assert answers[0][0] == totals
    assert [len(entries) for entries in answers[0][1]] == [TALLIES, TALLIES, TALLIES, TALLIES * (TIMES + 1)]
    assert answers[0] == answers[1]
