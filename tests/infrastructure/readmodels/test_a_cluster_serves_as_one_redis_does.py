"""Read models on a Redis Cluster: every key is as on one Redis, queries merge what lies on several servers."""

import asyncio
from pathlib import Path

import pytest
import redis
import structlog

from infrastructure.readmodels.connection import connect, connect_to_all
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.guarded_connection import GuardedConnection, Transaction
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.redis_policy import warn_if_misconfigured
from infrastructure.readmodels.servers import servers_at
from tests.infrastructure.readmodels.durability.stored_keys import connection_to, stored_keys
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.tallies import Closed, raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until
from tests.support.redis_cluster import ClusterServer, RedisCluster

PARTITIONS = 4


def test_keys_and_answers_are_those_of_one_redis(
    cluster: RedisCluster, redis_uri: str, eventstore_uri: str, namespace: str, category: str
) -> None:
    ids = new_tallies(24)
    followed = tallies(category), raises(category), summed(category)
    with Logbook(eventstore_uri, category) as log:
        log.open(ids)
        log.raise_all(ids, times=3)
        log.totals.pop(ids[0])
        last = log.write(ids[0], Closed())
    answers, keys = [], []
    for uri in (redis_uri, cluster.uri):
        deployed = deployment(eventstore_uri, uri, namespace, PARTITIONS)
        reader = Reader(deployed)
        with ThreadWorker(deployed, *followed):
            for projection in followed:
                reader.wait_until_available(projection)
            totals = reader.totals(followed[0], ids, last)
            reader.totals(followed[1], ids, last)
            sums = reader.sums(followed[2], "open", "totals", at_least=last)
        ranked = reader.ask(lambda models: models.ranked(followed[2], "owners", limit=3)).members
        answers.append((totals, reader.entries(followed[0], "owner:ann", limit=5), sums, ranked))
        with connection_to(uri) as connection:
            keys.append({name: stored_keys(connection, namespace, name) for name in ("tallies", "raises", "summed")})
    assert answers[1] == answers[0]
    assert answers[1][0] == log.totals
    assert len(answers[1][1]) == 23
    assert answers[1][2:] == ({"open": {"ann": 23}, "totals": {"ann": 138}}, [("ann", 138)])
    assert keys[1] == keys[0]


def test_partitions_lie_on_several_servers(cluster: RedisCluster) -> None:
    keys = ProjectionKeys("spread", "tallies")
    owners = {cluster.owner(keys.partition(1, number).checkpoint) for number in range(16)}
    assert owners == set(cluster.servers)


def test_a_transaction_whose_slot_has_moved_says_where_to_and_follows(cluster: RedisCluster, namespace: str) -> None:
    """Though the library is asked for the first of its replies alone, which names no slot."""
    key = ProjectionKeys(namespace, "tallies").partition(1, 0).checkpoint
    target = next(each for each in cluster.servers if each is not cluster.owner(key))
    transaction = Transaction()
    transaction.add("SET", key, "moved")
    with connect(cluster.uri, key) as client:
        guarded = GuardedConnection(client, key)
        assert guarded.watched() is None
        cluster.begin_move(key, target)
        cluster.end_move(key, target)
        guarded.send(transaction)
        with pytest.raises(redis.exceptions.MovedError, match=f"has moved to {target.address}$"):
            guarded.finish()
        assert guarded.watched() is None
        guarded.send(transaction)
        assert guarded.finish() == [b"OK"]
        guarded.close()
    assert target.ask("GET", key) == "moved"


def test_an_older_generation_is_swept_from_all_servers(
    cluster: RedisCluster, eventstore_uri: str, namespace: str, category: str
) -> None:
    projection = tallies(category)
    with Logbook(eventstore_uri, category) as log:
        log.open(new_tallies(40))
    before, after = (deployment(eventstore_uri, cluster.uri, namespace, partitions) for partitions in (8, 4))
    with ThreadWorker(before, projection):
        Reader(before).wait_until_available(projection)
        assert generations(before) == {1}
    with ThreadWorker(after, projection):
        poll_until(lambda: generations(after) == {2}, seconds=WAIT, what="generation 2 alone")


def generations(deployed: Deployment) -> set[int]:
    """Those of which keys are left on any server, but for reports, which expire."""
    keys = ProjectionKeys(deployed.namespace, "tallies")
    with connect_to_all(deployed.redis_uri) as servers:
        names = [name.decode() for each in servers for name in each.scan_iter(count=10_000)]
    found = [keys.generation_of(name) for name in names if not name.endswith("}:status")]
    return {number for _, number in filter(None, found)}


def test_a_login_is_that_of_every_server(cluster: RedisCluster) -> None:
    for server in cluster.servers:
        server.ask("ACL SETUSER", "ada", "on", ">s3cret", "+@all", "~*")
    uri = cluster.uri.replace("://", "://ada:s3cret@")

    async def asked() -> list[str | bytes]:
        servers = servers_at(uri, 5.0)
        users = [await each.client.acl_whoami() for each in await servers.primaries()]
        await servers.aclose()
        return users

    with connect_to_all(uri) as connections:
        assert [each.acl_whoami() for each in connections] == ["ada"] * 3
    assert asyncio.run(asked()) == ["ada"] * 3
    with connect(uri, "a") as connection:
        assert connection.acl_whoami() == "ada"


def test_a_client_without_a_key_follows_each_key_to_its_server(cluster: RedisCluster) -> None:
    keys = [f"spread:{number}" for number in range(12)]
    assert {cluster.owner(key) for key in keys} == set(cluster.servers)
    with connect(cluster.uri) as connection:
        for key in keys:
            connection.set(key, key, px=10_000)
        assert [connection.get(key) for key in keys] == [key.encode() for key in keys]


def test_a_server_that_is_in_no_cluster_is_named(tmp_path: Path) -> None:
    alone = ClusterServer(tmp_path / "alone", clustered=False).start()
    assert_refused(f"redis+cluster://{alone.address}", f"{alone.address}: .*cluster support disabled")
    alone.kill()


def assert_refused(uri: str, reason: str) -> None:
    """To a worker and to a query alike."""

    async def ask() -> None:
        servers = servers_at(uri, 5.0)
        try:
            await servers.at("a")
        finally:
            await servers.aclose()

    told = f"^no server of the cluster tells of its slots: {reason}"
    with connect(uri, "a") as connection, pytest.raises(redis.ConnectionError, match=told):
        connection.get("a")
    with pytest.raises(redis.ConnectionError, match=told):
        asyncio.run(ask())


def test_a_worker_tells_what_one_of_the_servers_is_not_set_to(cluster: RedisCluster) -> None:
    server = cluster.servers[1]
    server.ask("CONFIG SET", "maxmemory-policy", "allkeys-lru")
    with structlog.testing.capture_logs() as captured:
        warn_if_misconfigured(cluster.uri)
    server.ask("CONFIG SET", "maxmemory-policy", "noeviction")
    reason = "maxmemory-policy is allkeys-lru: rows may be evicted one by one; set it to noeviction"
    assert captured == [{"event": "redis_misconfigured", "log_level": "warning", "reason": reason}]
