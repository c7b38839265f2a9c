"""Checkpoints of the releases before this one and after it, and what this one writes."""

from uuid import UUID

import pytest
import redis

from infrastructure.eventstore.frames import CheckpointReached
from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.errors import CheckpointUnusable, NewerFormat
from infrastructure.readmodels.generations import Generation, Generations
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
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
        generations.wanted(1, STORE)
    with pytest.raises(NewerFormat):
        generations.retire(Generation(3, 1, STORE))
    assert [connection.get(key) for key in (keys.live, keys.building)] == [newer, None]


def test_pointers_without_a_format_are_read(connection: redis.Redis, namespace: str) -> None:
    """As the releases before format numbers wrote them."""
    keys = ProjectionKeys(namespace, "tallies")
    connection.set(keys.live, '{"number": 4, "partitions": 2, "store": "store-1"}')
    assert Generations(connection, namespace, "tallies").wanted(2, STORE) == (Generation(4, 2, STORE),)
