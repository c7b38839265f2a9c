"""The connection that commits: it outlives a Redis that closes what rests, and refusals in the middle."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import CheckpointMoved
from infrastructure.readmodels.keys import PartitionKeys
from tests.infrastructure.readmodels.partitions import MORE, OPENED_AND_RAISED, interrupted, partition_of
from tests.support.redis import RedisProcess


@pytest.fixture
def own() -> Iterator[redis.Redis]:
    process = RedisProcess().start()
    with connect(process.uri) as connection:
        yield connection
    process.close()


def totals(connection: redis.Redis, keys: PartitionKeys) -> list[object]:
    return [connection.hget(keys.row(each), "total") for each in ("a", "b")]


def test_one_that_was_closed_while_it_rested_is_made_anew(own: redis.Redis, keys: PartitionKeys) -> None:
    """As with Redis's `timeout`, and after a failover."""
    partition = partition_of(own, keys)
    partition.load()
    partition.apply(OPENED_AND_RAISED)
    with connect(f"unix://{own.connection_pool.connection_kwargs['path']}") as operator:
        operator.client_kill_filter(_type="normal", skipme=True)
        partition.apply(MORE)
        assert totals(operator, keys) == [b"7", b"0"]


def test_one_that_is_lost_while_a_rival_commits_commits_nothing(own: redis.Redis, keys: PartitionKeys) -> None:
    """A connection that was made anew watches only from then on: what it finds is compared before it is used."""
    rival = partition_of(own, keys)
    rival.load()

    def when_it_is_written(total: int) -> int:
        own.client_kill_filter(_type="normal", skipme=True)
        rival.apply(OPENED_AND_RAISED)
        return 1_000 + total

    slow = partition_of(own, keys, interrupted(when_it_is_written))
    slow.load()
    with pytest.raises((CheckpointMoved, redis.ConnectionError)):
        slow.apply(OPENED_AND_RAISED)
    assert totals(own, keys) == [b"3", None]


def test_a_batch_is_folded_while_the_one_before_is_committed(own: redis.Redis, keys: PartitionKeys) -> None:
    partition = partition_of(own, keys)
    partition.load()
    partition.advance(OPENED_AND_RAISED)
    partition.advance(MORE)
    assert partition.position == 40
    partition.settle()
    assert totals(own, keys) == [b"7", b"0"]


def test_a_rival_between_two_batches_is_noticed(own: redis.Redis, keys: PartitionKeys) -> None:
    slow, rival = partition_of(own, keys), partition_of(own, keys)
    slow.load()
    rival.load()
    rival.apply(OPENED_AND_RAISED)
    slow.advance(OPENED_AND_RAISED)
    with pytest.raises(CheckpointMoved):
        slow.advance(MORE)
    assert totals(own, keys) == [b"3", None]
    assert slow.load() == 20


def test_rows_that_were_read_at_another_checkpoint_are_not_folded(own: redis.Redis, keys: PartitionKeys) -> None:
    """A server that was replaced while it was away may still answer, with rows of its own."""
    slow, rival = partition_of(own, keys), partition_of(own, keys)
    rival.load()
    rival.apply(OPENED_AND_RAISED)
    slow.load()
    rival.apply(MORE)
    with pytest.raises(CheckpointMoved):
        slow.advance(MORE)
    assert slow.load() == 40


def test_what_is_refused_leaves_nothing_behind(own: redis.Redis, keys: PartitionKeys) -> None:
    partition = partition_of(own, keys)
    partition.load()
    partition.apply(OPENED_AND_RAISED)
    own.config_set("maxmemory", "1")
    with pytest.raises(redis.OutOfMemoryError):
        partition.apply(MORE)
    own.config_set("maxmemory", "0")
    assert totals(own, keys) == [b"3", None]
    with pytest.raises(CheckpointMoved):  # the rows in memory are ahead
        partition.apply(MORE)
    partition.load()
    partition.apply(MORE)
    assert totals(own, keys) == [b"7", b"0"]


def rows_read(own: redis.Redis) -> int:
    """How many rows workers have read from this server."""
    statistics: Any = own.info("commandstats")
    return int(statistics.get("cmdstat_hgetall", {"calls": 0})["calls"])


def test_only_rows_that_there_are_are_read(own: redis.Redis, keys: PartitionKeys) -> None:
    """New ones are most of a replay: one question tells which they are."""
    for batch in (OPENED_AND_RAISED, MORE):
        partition = partition_of(own, keys)
        partition.load()
        partition.apply(batch)
    assert totals(own, keys) == [b"7", b"0"]
    assert rows_read(own) == 1


def test_a_list_of_rows_that_is_not_whole_proves_nothing(own: redis.Redis, keys: PartitionKeys) -> None:
    for batch in (OPENED_AND_RAISED, MORE):
        partition = partition_of(own, keys)
        partition.load()
        partition.apply(batch)
        own.delete(keys.ids)
    assert totals(own, keys) == [b"7", b"0"]
    assert rows_read(own) == 2
