"""Servers that go away, come back, come back empty, or come back as others, while a worker runs."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import redis

from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.follower import Follower
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.member import Member
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.status import read_status
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Tally, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment, followed_tallies
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.redis import RedisProcess


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStoreProcess]:
    with EventStoreProcess(tmp_path / "eventstore") as process:
        yield process


@pytest.fixture
def cache() -> Iterator[RedisProcess]:
    process = RedisProcess().start()
    yield process
    process.close()


@pytest.fixture
def deployed(store: EventStoreProcess, cache: RedisProcess, namespace: str) -> Deployment:
    return deployment(store.uri, cache.uri, namespace, partitions=2)


@pytest.fixture
def projection(deployed: Deployment, category: str) -> Iterator[Projection[Tally]]:
    with followed_tallies(deployed, category) as followed:
        yield followed


@pytest.fixture
def reader(deployed: Deployment) -> Reader:
    return Reader(deployed)


def written(store: EventStoreProcess, category: str, number: int = 8) -> tuple[dict[str, int], int]:
    """Tallies with their totals, and the position of the last event."""
    several = new_tallies(number)
    with Logbook(store.uri, category) as log:
        log.open(several)
        position = log.raise_all(several, 3)
        return dict(log.totals), position


def test_a_wiped_redis_is_filled_again_on_a_quiet_log(
    deployed: Deployment, store: EventStoreProcess, reader: Reader, projection: Projection[Tally]
) -> None:
    totals, position = written(store, projection.category)
    assert reader.totals(projection, list(totals), position) == totals
    with connect(deployed.redis_uri) as connection:
        connection.flushall()
    assert not reader.is_available(projection)
    reader.wait_until_available(projection)
    assert reader.totals(projection, list(totals), position) == totals


def test_a_redis_that_comes_back_empty_is_filled_again(
    deployed: Deployment, store: EventStoreProcess, cache: RedisProcess, reader: Reader, projection: Projection[Tally]
) -> None:
    totals, position = written(store, projection.category)
    assert reader.totals(projection, list(totals), position) == totals
    cache.kill()
    assert not reader.is_available(projection)
    for path in (cache.data / "appendonlydir").iterdir():
        path.unlink()
    cache.start()
    reader.wait_until_available(projection)
    assert reader.totals(projection, list(totals), position) == totals


def test_a_redis_that_was_away_is_caught_up(
    store: EventStoreProcess, cache: RedisProcess, reader: Reader, projection: Projection[Tally]
) -> None:
    cache.kill()
    totals, position = written(store, projection.category)
    cache.start()
    assert reader.totals(projection, list(totals), position) == totals


def test_a_store_that_was_away_is_followed_again(
    store: EventStoreProcess, reader: Reader, projection: Projection[Tally]
) -> None:
    before, _ = written(store, projection.category)
    store.kill()
    store.start()
    after, position = written(store, projection.category)
    assert reader.totals(projection, [*before, *after], position) == {**before, **after}


@pytest.mark.parametrize("victim", ["store", "cache"])
def test_a_server_that_is_killed_under_load_costs_no_event_and_doubles_none(
    victim: str, request: pytest.FixtureRequest, store: EventStoreProcess, reader: Reader, projection: Projection[Tally]
) -> None:
    """A commit whose answer was lost may or may not have happened: the checkpoint tells."""
    server: EventStoreProcess | RedisProcess = request.getfixturevalue(victim)
    several, expected, position = new_tallies(20), Counter[str](), 0
    for _ in range(4):
        with Logbook(store.uri, projection.category) as log:
            log.open(several if not expected else [])
            position = log.raise_all(several, 10)
            expected.update(log.totals)
        server.kill()
        server.start()
    assert reader.totals(projection, several, position) == expected


def test_queries_are_answered_while_the_store_is_away(
    store: EventStoreProcess, reader: Reader, projection: Projection[Tally]
) -> None:
    totals, position = written(store, projection.category)
    assert reader.totals(projection, list(totals), position) == totals
    store.kill()
    assert reader.ask(lambda models: models.rows(projection, list(totals))) != []
    store.start()


def test_rows_of_a_store_that_was_replaced_are_not_read_on(
    tmp_path: Path, deployed: Deployment, store: EventStoreProcess, reader: Reader, projection: Projection[Tally]
) -> None:
    """The other one is laid out alike, and longer: by its positions alone it could not be told from the first."""
    old, position = written(store, projection.category)
    assert reader.totals(projection, list(old), position) == old
    with EventStoreProcess(tmp_path / "another") as prepared:
        with open_reader(prepared.uri) as log_reader:
            store_identity(log_reader)
        new, _ = written(prepared, projection.category)
        more, position = written(prepared, projection.category)
        prepared.stop()
    store.kill()
    with EventStoreProcess(tmp_path / "another", port=store.port):
        poll_until(lambda: reader.health(projection).generation == 2, seconds=WAIT, what="the next generation")
        assert reader.totals(projection, [*old, *new, *more], position) == {**new, **more}


def test_a_generation_never_mixes_two_stores(
    deployed: Deployment, store: EventStoreProcess, category: str, namespace: str
) -> None:
    """Who follows a generation looks at the store's identity before it reads from there."""
    written(store, category)
    another = Generation(1, 2, "another-store")
    stop, reconsidered = threading.Event(), threading.Event()
    member = Member(deployed, tallies(category), another, 0, reconsidered.set, SkipWatch(deployed))
    follower = Follower(deployed, [member], stop, reconsidered.set)
    thread = threading.Thread(target=follower.run, daemon=True)
    thread.start()
    assert reconsidered.wait(WAIT)
    stop.set()
    thread.join(WAIT)
    keys = ProjectionKeys(namespace, "tallies").partition(1, 0)
    with connect(deployed.redis_uri) as connection:
        assert list(connection.scan_iter(match=f"{keys.prefix}*")) == [keys.status.encode()]
        status = read_status((connection.get(keys.status) or b"").decode())
    assert status.failure is not None
    assert status.failure.error == "StoreReplaced"


@pytest.mark.parametrize("times", [1, 3], ids=["shorter", "longer"])
def test_a_worker_that_finds_another_store_than_before_begins_again(
    times: int, deployed: Deployment, store: EventStoreProcess, reader: Reader, category: str
) -> None:
    """Also where the other one is laid out alike, so that the checkpoint could be followed there."""
    followed = tallies(category)
    old, position = written(store, category)
    with ThreadWorker(deployed, followed):
        reader.wait_until_available(followed)
        assert reader.totals(followed, list(old), position) == old
    store.kill()
    with EventStoreProcess(None, port=store.port) as other:
        new: dict[str, int] = {}
        for _ in range(times):
            totals, position = written(other, category)
            new |= totals
        with ThreadWorker(deployed, followed):
            poll_until(lambda: reader.health(followed).generation == 2, seconds=WAIT, what="the next generation")
            assert reader.totals(followed, [*old, *new], position) == new


@pytest.mark.parametrize("lost", ["ahead of the log", "between two events", "gone"])
def test_a_checkpoint_that_cannot_be_followed_begins_a_new_generation(
    lost: str, deployed: Deployment, store: EventStoreProcess, reader: Reader, category: str
) -> None:
    followed = tallies(category)
    totals, position = written(store, category)
    with ThreadWorker(deployed, followed):
        reader.wait_until_available(followed)
        assert reader.totals(followed, list(totals), position) == totals
    keys = ProjectionKeys(deployed.namespace, followed.name).partition(1, 0)
    with connect(deployed.redis_uri) as connection:
        checkpoint = Checkpoint.parse((connection.get(keys.checkpoint) or b"").decode())
        at = checkpoint.position or 0
        if lost == "gone":
            connection.delete(keys.checkpoint)
        else:
            moved = at + (10**9 if lost == "ahead of the log" else 1)
            connection.set(keys.checkpoint, str(replace(checkpoint, position=moved)))
    with ThreadWorker(deployed, followed):
        poll_until(lambda: reader.health(followed).generation == 2, seconds=WAIT, what="the next generation")
        assert reader.totals(followed, list(totals), position) == totals


def test_what_a_generation_leaves_behind_is_swept_away(
    deployed: Deployment, store: EventStoreProcess, reader: Reader, category: str
) -> None:
    followed = tallies(category)
    totals, position = written(store, category)
    for number, partitions in enumerate((2, 4), start=1):
        resized = deployment(deployed.eventstore_uri, deployed.redis_uri, deployed.namespace, partitions)
        with ThreadWorker(resized, followed):
            poll_until(partial(is_live, reader, followed, number), seconds=WAIT, what="the next generation")
            assert reader.totals(followed, list(totals), position) == totals
            poll_until(partial(only, deployed, number), seconds=WAIT, what="the sweeping")


def is_live(reader: Reader, projection: Projection[Tally], number: int) -> bool:
    return reader.health(projection).generation == number


def only(deployed: Deployment, number: int) -> bool:
    return numbers(deployed) == {number}


def numbers(deployed: Deployment) -> set[int]:
    """The generations that have keys."""
    keys = ProjectionKeys(deployed.namespace, "tallies")
    with connect(deployed.redis_uri) as connection:
        found = {keys.generation_of(key.decode()) for key in connection.scan_iter(match=keys.generations_pattern)}
    return {generation[1] for generation in found if generation is not None}


def test_a_flip_that_redis_has_forgotten_is_made_again(
    eventstore_uri: str, redis_uri: str, connection: redis.Redis, namespace: str, category: str
) -> None:
    """A failover of a cluster may take back what was written to the pointers last."""
    deployed = deployment(eventstore_uri, redis_uri, namespace, partitions=2)
    keys = ProjectionKeys(namespace, "tallies")
    with followed_tallies(deployed, category) as projection:
        flipped = connection.get(keys.live)
        assert flipped is not None
        with connection.pipeline(transaction=True) as pipeline:
            pipeline.set(keys.building, flipped)
            pipeline.delete(keys.live)
            pipeline.execute()
        Reader(deployed).wait_until_available(projection)
        assert connection.get(keys.live) == flipped
