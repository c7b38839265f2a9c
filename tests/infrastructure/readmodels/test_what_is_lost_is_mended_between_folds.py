"""Losses, folds, mending and changes of workers in any order, on a running Redis; frames come from plain lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
import redis

from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fold import fold
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.stream_fold import WHOLE, Part, Refolded
from infrastructure.subscriptions.frames import Happened
from projections.projection import Projection
from tests.infrastructure.readmodels.partitions import STORE
from tests.infrastructure.readmodels.summed import GROUPS, summed
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, history, raises, tallies

OWNERS = ("ann", "bob", "cat")
IDS = [f"{number:08x}" for number in range(230)]  # a walk passes a hundred rows at a time
Made = Callable[[str], Projection[Any]]


@dataclass(frozen=True)
class Written:
    """A log, and what is folded from it."""

    projection: Projection[Any]
    frames: Sequence[Happened]
    connection: redis.Redis

    def worker(self, keys: PartitionKeys) -> Partition[Any]:
        partition = Partition(self.connection, self.projection, keys, STORE, 10, self.refold)
        partition.load()
        return partition

    def refold(self, aggregate_id: str, until: int, part: Part) -> Refolded[Any]:
        assert part == WHOLE
        of_stream = [frame for frame in self.frames if frame.events[0].aggregate_id == aggregate_id]
        folded = fold(self.projection, {}, [frame for frame in of_stream if frame.position <= until], None)
        return Refolded(folded.rows.get(aggregate_id), folded.changes)


def owner_of(tally: str) -> str:
    return OWNERS[int(tally, 16) % len(OWNERS)]


def any_history(random: Random) -> list[Happened]:
    """All are opened; then some are raised, closed and opened again."""
    events: list[tuple[str, object]] = [(tally, Opened(owner=owner_of(tally))) for tally in IDS]
    for tally in random.choices(IDS, k=700):
        events.append((tally, random.choice([Raised(by=1), Raised(by=2), Closed(), Opened(owner=owner_of(tally))])))
    return history(*events)


def contents(connection: redis.Redis, keys: PartitionKeys) -> dict[str, Any]:
    """The rows, indexes and sums that are there, the ids of rows, and the sizes of indexes and groups."""
    rows = [f"row:{tally}" for tally in IDS]
    indexes = [f"index:{kind}:{owner}" for kind in ("owner", "history") for owner in OWNERS]
    hashes = (*rows, "sizes", "groups", *(name for name in GROUPS if name.startswith("sum:")))
    sets = (*indexes, "ids", *(name for name in GROUPS if name.startswith("ranked:")))
    with connection.pipeline() as pipeline:
        for name in hashes:
            pipeline.hgetall(keys.prefix + name)
        for name in sets:
            pipeline.zrange(keys.prefix + name, 0, -1, withscores=True)
        found = dict(zip((*hashes, *sets), pipeline.execute(), strict=True))
    return {name: value for name, value in found.items() if value}


def require_right_or_missed(found: dict[str, Any], right: dict[str, Any]) -> None:
    """What a query answers is right: of rows that are there, or not listed, and of indexes as large as is counted."""
    assert found["ids"] == right["ids"]
    for name, value in found.items():
        if name.startswith("row:"):
            assert value == right.get(name), name
    for index in (f"{kind}:{owner}" for kind in ("owner", "history") for owner in OWNERS):
        entries = found.get(f"index:{index}", [])
        if int(found["sizes"].get(index.encode(), 0)) == len(entries):
            assert entries == right.get(f"index:{index}", []), index
    for group in GROUPS:
        sizes, members = found.get("groups", {}), found.get(group, {})
        if b"" in sizes and int(sizes.get(group.encode(), 0)) == len(members):
            assert members == right.get(group, {}), group


def lose_something(random: Random, connection: redis.Redis, keys: PartitionKeys) -> None:
    """Or nothing."""
    match random.randrange(10):
        case 0 | 1:
            connection.delete(*(keys.row(tally) for tally in random.choices(IDS, k=20)))
        case 2 | 3:
            connection.delete(keys.index(f"{random.choice(('owner', 'history'))}:{random.choice(OWNERS)}"))
        case 4 | 5:
            connection.delete(keys.group(random.choice(GROUPS)))
        case 6:
            connection.delete(keys.groups, keys.group(random.choice(GROUPS)))
        case _:
            pass


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 40))])
@pytest.mark.parametrize("made", [tallies, raises, summed])
def test_in_any_order_all_is_right_or_missed_and_whole_in_the_end(
    made: Made, seed: int, connection: redis.Redis, keys: PartitionKeys, namespace: str
) -> None:
    random = Random(seed)
    written = Written(made("tally"), any_history(random), connection)
    calm_keys = PartitionKeys(f"{namespace}-calm", "tallies", 1, 0)
    worker, calm = written.worker(keys), written.worker(calm_keys)
    for first in range(0, len(written.frames), 40):
        batch = written.frames[first : first + 40]
        worker.apply(batch)
        calm.apply(batch)
        for _ in range(random.randrange(8)):
            lose_something(random, connection, keys)
            if random.random() < 0.2:
                worker.verify(0.0)
            elif random.random() < 0.2:
                worker = written.worker(keys)
        require_right_or_missed(contents(connection, keys), contents(connection, calm_keys))
    for _ in range(40):
        worker.verify(0.0)
    assert contents(connection, keys) == contents(connection, calm_keys)


def test_rows_that_a_walk_has_passed_are_followed_and_others_are_not(
    connection: redis.Redis, keys: PartitionKeys, namespace: str
) -> None:
    """It passes a hundred rows at a time: the hundredth is the last that it has passed."""
    calm_keys = PartitionKeys(f"{namespace}-calm", "summed", 1, 0)
    opened = history(*((tally, Opened(owner="ann")) for tally in IDS))
    raised = history(*((IDS[number], Raised(by=number)) for number in (1, 99, 100, 101, 229)), first=9_000)
    written = Written(summed("tally"), [*opened, *raised], connection)
    worker, calm = written.worker(keys), written.worker(calm_keys)
    worker.apply(opened)
    connection.delete(keys.group("sum:totals"), keys.group("ranked:totals"))
    worker.verify(0.0)
    assert worker.mends
    worker.apply(raised)
    while worker.mends:
        worker.verify(0.0)
    calm.apply(written.frames)
    assert contents(connection, keys) == contents(connection, calm_keys)


def test_an_index_that_keeps_what_no_stream_makes_again_is_unusable(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    """Its tally was closed, and is listed no more; what it left behind is lost for good."""
    projection = raises("tally")
    closing = replace(projection, handlers={**projection.handlers, Closed: lambda row, recorded: None})
    frames = history(("a", Opened(owner="ann")), ("b", Opened(owner="ann")), ("a", Closed()))
    worker = Written(closing, frames, connection).worker(keys)
    worker.apply(frames)
    connection.delete(keys.index("history:ann"))
    with pytest.raises(CheckpointUnusable, match="no stream makes again"):
        worker.verify()
    assert connection.zrange(keys.index("history:ann"), 0, -1) == [b"20:0"]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_entries_that_somebody_added_are_counted_where_rows_tell_all(
    lost: int, connection: redis.Redis, keys: PartitionKeys
) -> None:
    """What was lost beside them is back; which ones are too many an audit of all streams tells."""
    frames = history(("a", Opened(owner="ann")), ("b", Opened(owner="ann")))
    worker = Written(tallies("tally"), frames, connection).worker(keys)
    worker.apply(frames)
    index = keys.index("owner:ann")
    if lost:
        connection.zrem(index, *["10", "20"][:lost])
    connection.zadd(index, {"11": 11, "12": 12, "13": 13})
    worker.verify()
    assert not worker.mends
    assert connection.zrange(index, 0, -1) == [b"10", b"11", b"12", b"13", b"20"]
    assert connection.hget(keys.sizes, "owner:ann") == b"5"


def test_entries_that_somebody_added_make_an_index_unusable_that_keeps_more(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    frames = history(("a", Opened(owner="ann")))
    worker = Written(raises("tally"), frames, connection).worker(keys)
    worker.apply(frames)
    connection.zadd(keys.index("history:ann"), {"11:0": 11})
    with pytest.raises(CheckpointUnusable, match="history:ann has entries that nobody counted"):
        worker.verify()


def test_a_look_mends_a_bounded_part(connection: redis.Redis, keys: PartitionKeys) -> None:
    """An eighth of the rows, so that the log is followed in between, whatever is lost."""
    frames = history(*((tally, Opened(owner="ann")) for tally in IDS))
    worker = Written(tallies("tally"), frames, connection).worker(keys)
    worker.apply(frames)
    rows = [keys.row(tally) for tally in IDS]
    connection.delete(*rows)
    there: list[int] = []
    while worker.mends or not there:
        worker.verify(0.0)
        there.append(connection.exists(*rows))
    assert there == [*range(28, 230, 28), 230]
