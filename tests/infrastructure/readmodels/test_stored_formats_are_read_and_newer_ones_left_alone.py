"""Checkpoints of the releases before this one and after it, and what this one writes."""

from dataclasses import replace
from uuid import UUID

import pytest
import redis

from infrastructure.eventstore.frames import CheckpointReached
from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.errors import CheckpointUnusable, NewerFormat
from infrastructure.readmodels.generations import Generations
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.subscriptions.frames import Passed
from tests.infrastructure.readmodels.checkpoints import stored_checkpoint
from tests.infrastructure.readmodels.partitions import MORE, OPENED_AND_RAISED, STORE, Worker, partition_of


def test_a_checkpoint_without_an_anchor_is_read_and_gets_one_with_the_next_event(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    """As the releases before anchors wrote it; only a commit writes it anew."""
    connection.set(keys.checkpoint, "store-1:20")
    partition = worker()
    assert partition.checkpoint == Checkpoint(STORE, 20)
    assert connection.get(keys.checkpoint) == b"store-1:20"
    partition.apply([CheckpointReached(25)])
    assert connection.get(keys.checkpoint) == str(Checkpoint(STORE, 25)).encode()
    partition.apply(MORE)
    assert connection.get(keys.checkpoint) == stored_checkpoint(STORE, 40, MORE[-1], rows=None)


def test_a_record_that_means_nothing_moves_the_anchor_too(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    event_id = UUID(int=7)
    worker().apply([*OPENED_AND_RAISED, Passed(25, event_id), CheckpointReached(27)])
    checkpoint = Checkpoint(STORE, 27, Anchor(25, event_id), rows=1)
    assert connection.get(keys.checkpoint) == str(checkpoint).encode()
    assert worker().checkpoint == checkpoint


def test_a_checkpoint_of_a_later_release_is_waited_for_and_left_alone(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    newer = b'{"format":99,"place":"elsewhere"}'
    connection.set(keys.checkpoint, newer)
    with pytest.raises(NewerFormat):
        partition_of(connection, keys).load()
    assert connection.get(keys.checkpoint) == newer


def test_a_checkpoint_names_the_number_of_partitions_and_one_of_another_is_not_followed(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    two, four = (replace(keys, partitions=number) for number in (2, 4))
    partition = partition_of(connection, two)
    partition.load()
    partition.apply(OPENED_AND_RAISED)
    assert partition_of(connection, two).load() == 20
    with pytest.raises(CheckpointUnusable, match="a generation of 2 partitions instead of 4"):
        partition_of(connection, four).load()
    connection.set(keys.checkpoint, stored_checkpoint(STORE, 20, rows=1))  # as the last release does
    assert partition_of(connection, four).load() == 20


@pytest.mark.parametrize("garbage", ["", "{}", "store-1:x", '{"format":1,"store":"store-1"}'])
def test_a_checkpoint_that_cannot_be_read_makes_the_generation_unusable(
    garbage: str, connection: redis.Redis, keys: PartitionKeys
) -> None:
    connection.set(keys.checkpoint, garbage)
    with pytest.raises(CheckpointUnusable):
        partition_of(connection, keys).load()


def test_pointers_of_a_later_release_are_waited_for_and_left_alone(connection: redis.Redis, namespace: str) -> None:
    keys, newer = ProjectionKeys(namespace, "tallies"), b'{"format":99,"number":3}'
    connection.set(keys.live, newer)
    generations = Generations(connection, namespace, "tallies")
    with pytest.raises(NewerFormat):
        generations.decided(1, STORE)
    with pytest.raises(NewerFormat):
        generations.retire(Generation(3, 1, STORE))
    assert [connection.get(key) for key in (keys.live, keys.building)] == [newer, None]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"{}",
        b'{"format":"x"}',
        b'{"number":"3","partitions":1,"store":"store-1"}',
        b'{"number":3,"partitions":1000000000,"store":"store-1"}',
    ],
)
def test_a_pointer_that_no_release_has_stored_counts_as_lost(
    rubbish: bytes, connection: redis.Redis, namespace: str
) -> None:
    keys = ProjectionKeys(namespace, "tallies")
    connection.mset({keys.live: rubbish, keys.last_number: 3})
    generations, next_one = Generations(connection, namespace, "tallies"), Generation(4, 2, STORE)
    assert generations.decided(2, STORE).followed == (next_one,)
    connection.sadd(keys.caught_up(4), "rubbish", 99)
    generations.mark_caught_up(next_one, 0)
    assert not generations.is_live(next_one)
    generations.mark_caught_up(next_one, 1)
    assert generations.is_live(next_one)
    connection.set(keys.last_number, "rubbish")
    assert generations.decided(1, STORE).followed == (next_one, Generation(5, 1, STORE))


def test_pointers_without_a_format_are_read(connection: redis.Redis, namespace: str) -> None:
    """As the releases before format numbers wrote them."""
    keys = ProjectionKeys(namespace, "tallies")
    connection.set(keys.live, '{"number": 4, "partitions": 2, "store": "store-1"}')
    assert Generations(connection, namespace, "tallies").decided(2, STORE).followed == (Generation(4, 2, STORE),)


def test_the_pointer_of_a_first_version_is_stored_as_before_there_were_versions() -> None:
    first, second = Generation(4, 2, STORE), Generation(5, 2, STORE, version=2)
    assert first.to_json() == '{"format": 1, "number": 4, "partitions": 2, "store": "store-1"}'
    assert second.to_json() == '{"format": 2, "number": 5, "partitions": 2, "store": "store-1", "version": 2}'
    assert [Generation.from_json(each.to_json()) for each in (first, second)] == [first, second]
