"""Mending is fenced as folding is: one of several workers mends, and the others drop what they hold."""

import pytest
import redis

from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.errors import CheckpointMoved
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.stream_fold import Part, Refolded
from tests.infrastructure.readmodels.partitions import MORE, OPENED_AND_RAISED, STORE, TALLIES, Worker
from tests.infrastructure.readmodels.tallies import Tally

LOST = Tally(owner="ann", total=3, opened=10, version=1)


def from_its_stream(aggregate_id: str, until: int, part: Part) -> Refolded[Tally]:
    assert (aggregate_id, until) == ("a", 20)
    return Refolded(LOST)


@pytest.fixture
def folded(connection: redis.Redis, keys: PartitionKeys, worker: Worker) -> None:
    """One row, which is lost."""
    worker().apply(OPENED_AND_RAISED)
    connection.delete(keys.row("a"))


@pytest.mark.usefixtures("folded")
def test_the_others_see_that_the_checkpoint_has_moved(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    mends, other = Partition(connection, TALLIES, keys, STORE, 100, from_its_stream), worker()
    mends.load()
    mends.verify()
    assert connection.hget(keys.row("a"), "total") == b"3"
    newest = OPENED_AND_RAISED[-1]
    anchor = Anchor(newest.position, newest.events[0].id)
    assert connection.get(keys.checkpoint) == str(Checkpoint(STORE, 20, anchor, repairs=1, rows=1)).encode()
    with pytest.raises(CheckpointMoved):
        other.apply(MORE)
    other.load()
    other.apply(MORE)
    assert connection.hget(keys.row("a"), "total") == b"7"


@pytest.mark.usefixtures("folded")
def test_who_is_overtaken_while_it_folds_the_stream_writes_nothing(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    rival = Partition(connection, TALLIES, keys, STORE, 100, from_its_stream)
    rival.load()

    def slowly(aggregate_id: str, until: int, part: Part) -> Refolded[Tally]:
        rival.apply(MORE)
        return from_its_stream(aggregate_id, until, part)

    slow = Partition(connection, TALLIES, keys, STORE, 100, slowly)
    slow.load()
    with pytest.raises(CheckpointMoved):
        slow.verify()
    assert connection.hget(keys.row("a"), "total") == b"7"


@pytest.mark.usefixtures("folded")
def test_nothing_is_written_where_the_stream_cant_be_read(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    before = connection.get(keys.checkpoint)
    with pytest.raises(AssertionError, match="the stream of a is asked for up to 20"):
        worker().apply(MORE)
    assert (connection.exists(keys.row("a")), connection.get(keys.checkpoint)) == (0, before)
