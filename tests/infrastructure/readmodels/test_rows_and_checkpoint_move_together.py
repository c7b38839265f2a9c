"""The fenced commit, on a running Redis; frames come from plain lists."""

import json
from typing import Any

import pytest
import redis

from infrastructure.eventstore.frames import CaughtUp, CheckpointReached
from infrastructure.readmodels.blocks import MOST_STREAMS
from infrastructure.readmodels.checkpoint import Anchor, Checkpoint
from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable, TooManyBlocked
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.rows import UnreadableRow
from tests.infrastructure.readmodels.checkpoints import stored_checkpoint
from tests.infrastructure.readmodels.partitions import (
    MORE,
    OPENED_AND_RAISED,
    STORE,
    Worker,
    interrupted,
    partition_of,
)
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, Unheard, history


def stored(connection: redis.Redis, keys: PartitionKeys) -> dict[str, object]:
    """All that stands in Redis under the partition's tag."""
    found: dict[str, object] = {}
    for name in sorted(connection.scan_iter(match=keys.prefix.replace("{", "\\{") + "*")):
        key = name.decode()
        match connection.type(key):
            case b"hash":
                members: dict[Any, Any] = dict(connection.hgetall(key))
                found[key.removeprefix(keys.prefix)] = {k.decode(): json.loads(v) for k, v in members.items()}
            case b"zset":
                found[key.removeprefix(keys.prefix)] = connection.zrange(key, 0, -1, withscores=True)
            case _:
                found[key.removeprefix(keys.prefix)] = connection.get(key)
    return found


def test_a_batch_writes_rows_index_and_checkpoint(connection: redis.Redis, keys: PartitionKeys, worker: Worker) -> None:
    worker().apply(OPENED_AND_RAISED)
    assert stored(connection, keys) == {
        "row:a": {"owner": "ann", "total": 3, "opened": 10, "version": 1},
        "index:owner:ann": [(b"10", 10.0)],
        "ids": [(b"a", 0.0)],
        "sizes": {"": 1, "owner:ann": 1},
        "checkpoint": stored_checkpoint(STORE, 20, OPENED_AND_RAISED[-1], rows=1),
    }


def test_another_worker_goes_on_where_one_ended(connection: redis.Redis, keys: PartitionKeys, worker: Worker) -> None:
    worker().apply(OPENED_AND_RAISED)
    second = worker()
    assert second.position == 20
    second.apply(MORE)
    assert stored(connection, keys) == {
        "row:a": {"owner": "ann", "total": 7, "opened": 10, "version": 0},
        "row:b": {"owner": "bob", "total": 0, "opened": 40, "version": 0},
        "index:owner:ann": [(b"10", 10.0)],
        "index:owner:bob": [(b"40", 40.0)],
        "ids": [(b"a", 0.0), (b"b", 0.0)],
        "sizes": {"": 1, "owner:ann": 1, "owner:bob": 1},
        "checkpoint": stored_checkpoint(STORE, 40, MORE[-1], rows=2),
    }


def test_a_worker_that_another_one_overtook_changes_nothing(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    first, second = worker(), worker()
    first.apply(OPENED_AND_RAISED)
    before = stored(connection, keys)
    with pytest.raises(CheckpointMoved):
        second.apply(OPENED_AND_RAISED)
    assert stored(connection, keys) == before


def test_a_worker_that_is_overtaken_while_it_commits_changes_nothing(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    """Between its look at the checkpoint and its transaction, while it writes the rows down, a rival commits."""
    rival = worker()

    def when_it_is_written(total: int) -> int:
        rival.apply(OPENED_AND_RAISED)
        return 1_000 + total

    slow = partition_of(connection, keys, interrupted(when_it_is_written))
    slow.load()
    with pytest.raises(CheckpointMoved):
        slow.apply(OPENED_AND_RAISED)
    assert stored(connection, keys) == {
        "row:a": {"owner": "ann", "total": 3, "opened": 10, "version": 1},
        "index:owner:ann": [(b"10", 10.0)],
        "ids": [(b"a", 0.0)],
        "sizes": {"": 1, "owner:ann": 1},
        "checkpoint": stored_checkpoint(STORE, 20, OPENED_AND_RAISED[-1], rows=1),
    }


def test_a_worker_that_was_overtaken_goes_on_from_what_is_stored(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    first, second = worker(), worker()
    first.apply(OPENED_AND_RAISED)
    with pytest.raises(CheckpointMoved):
        second.apply(OPENED_AND_RAISED)
    second.load()
    second.apply([*OPENED_AND_RAISED, *MORE])
    assert stored(connection, keys)["row:a"] == {"owner": "ann", "total": 7, "opened": 10, "version": 0}


def test_a_batch_that_is_repeated_is_applied_once(connection: redis.Redis, keys: PartitionKeys, worker: Worker) -> None:
    worker().apply(OPENED_AND_RAISED)
    before = stored(connection, keys)
    worker().apply(OPENED_AND_RAISED)
    assert stored(connection, keys) == before


def test_an_absent_checkpoint_fits_only_a_beginning(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    """Redis was wiped while the worker held rows: nothing of them may be written."""
    partition = worker()
    partition.apply(OPENED_AND_RAISED)
    connection.delete(*(keys.prefix + name for name in stored(connection, keys)))
    with pytest.raises(CheckpointMoved):
        partition.apply(MORE)
    assert stored(connection, keys) == {}
    assert partition.load() is None
    partition.apply([*OPENED_AND_RAISED, *MORE])
    assert stored(connection, keys)["row:a"] == {"owner": "ann", "total": 7, "opened": 10, "version": 0}


def test_a_wipe_is_noticed_without_anything_to_write(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    partition = worker()
    partition.apply(OPENED_AND_RAISED)
    partition.verify()
    connection.delete(keys.checkpoint)
    with pytest.raises(CheckpointMoved):
        partition.verify()


def test_a_row_that_ends_is_deleted(connection: redis.Redis, keys: PartitionKeys, worker: Worker) -> None:
    partition = worker()
    partition.apply(OPENED_AND_RAISED)
    closed = history(("a", Closed()), first=30)
    partition.apply(closed)
    assert stored(connection, keys) == {"checkpoint": stored_checkpoint(STORE, 30, closed[-1]), "sizes": {"": 1}}


def test_fields_that_a_row_no_longer_has_are_removed(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    worker().apply(OPENED_AND_RAISED)
    connection.hset(keys.row("a"), "former", "1")
    worker().apply(MORE)
    assert stored(connection, keys)["row:a"] == {"owner": "ann", "total": 7, "opened": 10, "version": 0}


def test_checkpoint_frames_alone_move_the_checkpoint(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    worker().apply([CheckpointReached(500)])
    assert stored(connection, keys) == {"checkpoint": stored_checkpoint(STORE, 500), "sizes": {"": 1}}


def test_the_position_that_is_none_is_never_stored(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    partition = worker()
    assert partition.apply([CheckpointReached(2**64 - 1), CaughtUp()])
    assert stored(connection, keys) == {"checkpoint": stored_checkpoint(STORE, None), "sizes": {"": 1}}
    partition.apply(OPENED_AND_RAISED)
    assert stored(connection, keys)["checkpoint"] == stored_checkpoint(STORE, 20, OPENED_AND_RAISED[-1], rows=1)


def test_a_partition_that_caught_up_with_nothing_begins_at_the_beginning_again(worker: Worker) -> None:
    worker().apply([CaughtUp()])
    again = worker()
    assert again.begun
    assert again.position is None


def test_caught_up_again_and_again_writes_nothing_more(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    partition = worker()
    assert partition.apply([CaughtUp()])
    assert not partition.apply([])
    assert partition.apply([CaughtUp(), *OPENED_AND_RAISED, CaughtUp()])
    assert partition.apply([CaughtUp()])
    assert stored(connection, keys)["checkpoint"] == stored_checkpoint(STORE, 20, OPENED_AND_RAISED[-1], rows=1)


def test_what_came_before_one_block_too_many_is_committed(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    partition = worker()
    sick = history(*((f"{number:08x}", Unheard()) for number in range(MOST_STREAMS)), first=30, step=1)
    partition.apply([*OPENED_AND_RAISED, *sick])
    more = history(("a", Raised(by=2)), ("a", Raised(by=-1)), ("a", Raised(by=1)), first=2_000)
    with pytest.raises(TooManyBlocked) as failure:
        partition.apply(more)
    assert (failure.value.stream, failure.value.version, failure.value.position) == ("tally-a", 1, 2_010)
    last = Checkpoint(STORE, 2_000, Anchor(2_000, more[0].event_id), rows=1, blocked=MOST_STREAMS)
    assert connection.get(keys.checkpoint) == str(last).encode()
    assert connection.hgetall(keys.row("a"))[b"total"] == b"5"
    assert connection.hlen(keys.blocked) == MOST_STREAMS


def test_of_a_stored_row_only_the_members_that_change_are_written(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    partition = worker()
    partition.apply(OPENED_AND_RAISED)
    connection.hset(keys.row("a"), "owner", '"as before"')
    partition.apply(MORE)
    assert stored(connection, keys)["row:a"] == {"owner": "as before", "total": 7, "opened": 10, "version": 0}


def test_a_held_row_that_redis_has_lost_is_stored_whole_with_its_next_change(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    partition = worker()
    partition.apply(OPENED_AND_RAISED)
    connection.delete(keys.row("a"))
    partition.apply(MORE)
    assert stored(connection, keys)["row:a"] == {"owner": "ann", "total": 7, "opened": 10, "version": 0}
    assert partition.checkpoint.repairs == 1


def test_a_row_of_which_only_a_part_is_stored_counts_as_lost(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    """As where the worker is killed between those two transactions."""
    worker().apply(OPENED_AND_RAISED)
    connection.hdel(keys.row("a"), "owner", "opened")
    with pytest.raises(AssertionError, match="the stream of a is asked for up to 20"):
        worker().apply(MORE)


def test_a_checkpoint_of_another_store_is_not_followed(connection: redis.Redis, keys: PartitionKeys) -> None:
    connection.set(keys.checkpoint, "store-2:20")
    with pytest.raises(CheckpointUnusable):
        partition_of(connection, keys).load()


def test_a_stored_row_that_does_not_fit_is_named(connection: redis.Redis, keys: PartitionKeys, worker: Worker) -> None:
    worker().apply(OPENED_AND_RAISED)
    connection.hset(keys.row("a"), "total", '"many"')
    with pytest.raises(UnreadableRow):
        worker().apply(MORE)


def test_a_key_of_another_kind_makes_the_generation_unusable(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    """Redis then has done a part of the transaction, and keeps it."""
    connection.set(keys.index("owner:ann"), "not an index")
    with pytest.raises(CheckpointUnusable):
        worker().apply(OPENED_AND_RAISED)


def test_rows_beyond_those_held_are_read_again(connection: redis.Redis, keys: PartitionKeys) -> None:
    partition = partition_of(connection, keys, rows_held=2)
    partition.load()
    names = [f"{number:x}" for number in range(16)]
    for number, name in enumerate(names):
        partition.apply(history((name, Opened(owner="ann")), first=100 + number))
    for number, name in enumerate(names):
        partition.apply(history((name, Raised(by=number)), first=200 + number))
    totals = [json.loads(connection.hget(keys.row(name), "total") or b"") for name in names]
    assert totals == list(range(16))


def test_a_row_that_begins_is_not_looked_for_though_others_were_let_go(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    partition = partition_of(connection, keys, rows_held=2)
    partition.load()
    before = rows_looked_for(connection)
    for number in range(16):
        partition.apply(history((f"{number:x}", Opened(owner="ann")), first=100 + number))
    assert rows_looked_for(connection) == before
    partition.apply(history(("0", Raised(by=1)), first=200))
    assert rows_looked_for(connection) == before + 1


def rows_looked_for(connection: redis.Redis) -> int:
    calls = connection.info("commandstats")
    return sum(int(calls.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("hgetall", "zmscore"))
