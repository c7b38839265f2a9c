"""Slots move and primaries die while a worker folds: in the end every key is what a fold of the log says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from tests.infrastructure.readmodels.durability.appender import Appender
from tests.infrastructure.readmodels.durability.comparison import Comparison
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.tallies import raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until
from tests.support.redis_cluster import ClusterServer, RedisCluster

PARTITIONS = 2
Followed = Callable[[RedisCluster], Comparison]


@contextmanager
def followed(deployed: Deployment, category: str) -> Iterator[tuple[Appender, Comparison]]:
    """All read models of the category have caught up with fifty appends, and a worker goes on."""
    appender = Appender(deployed.eventstore_uri, category, seed=7)
    compared = Comparison(
        deployed.eventstore_uri, deployed.redis_uri, deployed.namespace, category, deployed.partitions
    )
    appender.run(50)
    with ThreadWorker(deployed, tallies(category), raises(category), summed(category)):
        assert compared.differences("at first") == []
        yield appender, compared
    appender.close()


def another(cluster: RedisCluster, server: ClusterServer) -> ClusterServer:
    return next(each for each in cluster.servers if each is not server)


@pytest.mark.parametrize("moved", ["partition", "pointers"])
def test_a_slot_that_moves_key_by_key(
    cluster: RedisCluster, eventstore_uri: str, namespace: str, category: str, moved: str
) -> None:
    """What is read while keys lie on both servers is right, too."""
    deployed = deployment(eventstore_uri, cluster.uri, namespace, PARTITIONS)
    keys, reader, projection = ProjectionKeys(namespace, "tallies"), Reader(deployed), tallies(category)
    first = keys.partition(1, 0)
    moving = (first.index("owner:ann"), first.checkpoint, first.ids) if moved == "partition" else (keys.live,)
    source = cluster.owner(moving[0])
    target = another(cluster, source)

    def answers() -> object:
        health = reader.health(projection)
        positions = [partition.position for partition in health.partitions]
        return reader.entries(projection, "owner:ann"), health.generation, positions

    with followed(deployed, category) as (appender, compared):
        before = answers()
        cluster.begin_move(moving[0], target)
        for key in moving:
            cluster.move_keys(source, target, key)
            assert answers() == before
        appender.run(30)
        while cluster.move_some(moving[0], target, 5):
            pass
        appender.run(30)
        cluster.end_move(moving[0], target)
        assert compared.differences("after the move") == []
        appender.run(30)
        assert compared.differences("at the end") == []
        assert cluster.owner(moving[0]) is target
        assert compared.rebuilt() == [(1, 0)] * 3


def test_a_primary_that_is_killed_and_its_replica_promoted(
    replicated: RedisCluster, eventstore_uri: str, namespace: str, category: str
) -> None:
    deployed = deployment(eventstore_uri, replicated.uri, namespace, PARTITIONS)
    key = ProjectionKeys(namespace, "tallies").partition(1, 0).checkpoint
    with followed(deployed, category) as (appender, compared):
        primary = replicated.owner(key)
        replica = replicated.replica_of(primary)
        appending = appender.begin(100)
        primary.kill()
        poll_until(lambda: replica.is_primary, seconds=WAIT, what="the failover")
        appending.join(WAIT)
        assert compared.differences("after the failover") == []
        primary.start()
        poll_until(lambda: not primary.is_primary, seconds=WAIT, what="a replica of the killed one")
        appender.run(30)
        assert compared.differences("at the end") == []
        assert [repairs for _, repairs in compared.rebuilt()] == [0] * 3


def test_a_primary_that_wakes_up_after_its_replica_was_promoted(
    replicated: RedisCluster, eventstore_uri: str, namespace: str, category: str
) -> None:
    """For a moment both take themselves for the one that has the slots."""
    deployed = deployment(eventstore_uri, replicated.uri, namespace, PARTITIONS)
    key = ProjectionKeys(namespace, "tallies").partition(1, 0).checkpoint
    with followed(deployed, category) as (appender, compared):
        primary = replicated.owner(key)
        replica = replicated.replica_of(primary)
        primary.pause()
        replica.ask("CLUSTER FAILOVER", "TAKEOVER")
        appending = appender.begin(60)
        poll_until(lambda: replica.is_primary, seconds=WAIT, what="the takeover")
        primary.resume()
        appending.join(WAIT)
        assert compared.differences("at the end") == []
        assert [repairs for _, repairs in compared.rebuilt()] == [0] * 3


def test_a_cluster_that_comes_after_the_worker(eventstore_uri: str, namespace: str, category: str) -> None:
    cluster = RedisCluster()
    deployed = deployment(eventstore_uri, cluster.uri, namespace, PARTITIONS)
    projection, ids = tallies(category), new_tallies(4)
    for server in cluster.servers:
        server.kill()
    with Logbook(eventstore_uri, category) as log, ThreadWorker(deployed, projection):
        last = log.open(ids)
        assert not Reader(deployed).is_available(projection)
        for server in cluster.servers:
            server.start()
        Reader(deployed).wait_until_available(projection)
        assert Reader(deployed).totals(projection, ids, last) == dict.fromkeys(ids, 0)
    cluster.close()


def test_a_server_that_is_away_holds_up_only_the_read_models_that_it_has(eventstore_uri: str, category: str) -> None:
    """Though both follow the log together."""
    cluster = RedisCluster()
    for server in cluster.servers:
        server.ask("CONFIG SET", "cluster-require-full-coverage", "no")
    namespace = next(name for name in map(str, range(1_000)) if lie_apart(cluster, name))
    deployed = deployment(eventstore_uri, cluster.uri, namespace)
    kept, held_up, reader, ids = raises(category), tallies(category), Reader(deployed), new_tallies(4)
    with Logbook(eventstore_uri, category) as log, ThreadWorker(deployed, kept, held_up):
        for projection in (kept, held_up):
            reader.wait_until_available(projection)
        lost = cluster.owner(ProjectionKeys(namespace, "tallies").live)
        lost.kill()
        assert reader.totals(kept, ids, log.open(ids)) == dict.fromkeys(ids, 0)
        assert reader.totals(kept, ids, log.raise_all(ids)) == log.totals
        assert not reader.is_available(held_up)
        lost.start()
        reader.wait_until_available(held_up)
        assert reader.totals(held_up, ids, log.raise_all(ids)) == log.totals
    cluster.close()


def lie_apart(cluster: RedisCluster, namespace: str) -> bool:
    """Whether one server has all of `tallies`, and nothing of `raises`."""
    keys = [ProjectionKeys(namespace, name) for name in ("tallies", "raises")]
    owners = [{cluster.owner(each.live), cluster.owner(each.partition(1, 0).checkpoint)} for each in keys]
    return len(owners[0]) == 1 and owners[0].isdisjoint(owners[1])
