"""Blocks, skips, tries, losses and other workers in any order, on a running Redis; events come from plain lists."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any
from uuid import uuid4

import pytest
import redis

from infrastructure.readmodels.blocks import MOST_STREAMS
from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable, TooManyBlocked
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.stream_fold import Part, Refolded
from infrastructure.subscriptions.frames import Happened
from projections.projection import Projection
from tests.infrastructure.readmodels.partitions import STORE
from tests.infrastructure.readmodels.refused_log import IDS, RefusedLog, any_history
from tests.infrastructure.readmodels.summed import GROUPS, summed
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, history, raises, tallies
from tests.infrastructure.readmodels.written_out import (
    Contents,
    blocks_of,
    checkpoint_of,
    contents,
    raises_of,
    summed_of,
    tallies_of,
)

ALL_TIME = 60.0
Made = Callable[[str], Projection[Any]]
WrittenOut = Callable[[Iterable[Happened]], Contents]


class Story:
    """Things that happen to a partition, and what it has to hold after each."""

    def __init__(self, log: RefusedLog, connection: redis.Redis, keys: PartitionKeys, written_out: WrittenOut) -> None:
        self.log = log
        self._connection = connection
        self._keys = keys
        self._written_out = written_out
        self.worker = log.worker(keys)

    def act(self, random: Random, until: int) -> None:
        """One of the things that may happen; until that number events were taken, or a few less."""
        match random.randrange(7):
            case 0:
                for _ in range(random.randint(1, 4)):
                    self.log.skip_or_not(random, until)
            case 1:
                self.log.apply_skips(self.worker)
            case 2:
                self.log.refused -= set(random.sample(sorted(self.log.refused), len(self.log.refused) // 2))
                self.worker.try_blocked({"*"}, ALL_TIME)
            case 3:
                self.worker = self.log.worker(self._keys)
            case 4:
                self._skip_a_poison()
            case 5:
                self._connection.delete(self._keys.group(random.choice(GROUPS)))
            case _:
                self._connection.delete(*(self._keys.row(tally) for tally in random.choices(IDS, k=2)))

    def _skip_a_poison(self) -> None:
        for tally, block in list(self.worker.blocks.items())[:1]:
            self.log.skips.skip(f"tally-{tally}", block.version)

    def require_right(self) -> None:
        """All of it is the fold of what is neither skipped nor behind a block, once what is lost is mended."""
        self.worker.verify(ALL_TIME)
        assert not self.worker.mends
        checkpoint, blocks = checkpoint_of(self._connection, self._keys), blocks_of(self._connection, self._keys)
        counted = self._counted(checkpoint.position or 0, checkpoint.skips)
        ends = {tally: block.version for tally, block in blocks.items()}
        folded = [each for each in counted if each.version < ends.get(each.row_key, each.version + 1)]
        expected = self._written_out(folded)
        assert contents(self._connection, self._keys) == expected
        assert checkpoint.rows == len(expected.get("ids", {}))
        waiting = dict.fromkeys(blocks, 0)
        for frame in counted:
            if frame.version > ends.get(frame.row_key, frame.version):
                waiting[frame.row_key] += 1
        assert {tally: block.waiting for tally, block in blocks.items()} == waiting
        assert checkpoint.blocked == len(blocks)

    def _counted(self, position: int, applied: int) -> list[Happened]:
        """The events up to a position that are not skipped there."""
        absent = self.log.skips.skips().before(applied, {frame.stream for frame in self.log.frames})
        return [
            frame
            for frame in self.log.frames
            if frame.position <= position and frame.version not in absent[frame.stream]
        ]


@pytest.mark.parametrize("wanted", [{"*"}, set(IDS[:3])])
def test_what_there_is_no_time_for_stays_wanted(wanted: set[str], connection: redis.Redis, keys: PartitionKeys) -> None:
    log = RefusedLog(tallies("tally"), history(*((tally, Opened(owner="ann")) for tally in IDS[:3])), connection)
    log.refused = {frame.position for frame in log.frames}
    worker = log.worker(keys)
    log.take(worker, log.frames)
    worker.try_blocked(wanted, 0.0)
    assert sorted(block.tries for block in worker.blocks.values()) == [1, 1, 2]
    for _ in range(2):
        worker.try_blocked((), 0.0)
    assert [block.tries for block in worker.blocks.values()] == [2, 2, 2]


def test_what_redis_does_not_tell_of_blocks_is_not_taken_for_lost(
    redis_uri: str, connection: redis.Redis, keys: PartitionKeys
) -> None:
    """So it is where a slot of a cluster moves: the worker tries once more, and nothing is built anew."""
    log = RefusedLog(tallies("tally"), history((IDS[0], Opened(owner="ann"))), connection)
    log.refused = {frame.position for frame in log.frames}
    log.take(log.worker(keys), log.frames)
    name = f"guest-{uuid4().hex[:12]}"
    connection.acl_setuser(name, enabled=True, nopass=True, keys=["*"], commands=["+@all", "-hgetall"])
    with (
        redis.Redis.from_url(redis_uri, username=name, password="any") as guest,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        RefusedLog(tallies("tally"), log.frames, guest).worker(keys)
    connection.acl_deluser(name)
    assert log.worker(keys).blocks.keys() == {IDS[0]}


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 60))])
@pytest.mark.parametrize(("made", "written_out"), [(tallies, tallies_of), (raises, raises_of), (summed, summed_of)])
def test_at_every_moment_it_is_the_fold_of_what_is_neither_skipped_nor_behind_a_block(
    made: Made, written_out: WrittenOut, seed: int, connection: redis.Redis, keys: PartitionKeys
) -> None:
    random = Random(seed)
    log = RefusedLog(made("tally"), any_history(random), connection)
    story = Story(log, connection, keys, written_out)
    most = 0
    for first in range(0, len(log.frames), 15):
        batch = log.frames[first : first + 15]
        log.refused |= {frame.position for frame in random.sample(batch, min(3, len(batch)))}
        log.take(story.worker, batch)
        most = max(most, len(story.worker.blocks))
        for _ in range(random.randrange(8)):
            story.act(random, first + 30)
        story.require_right()
    assert most > 1
    log.refused.clear()
    log.apply_skips(story.worker)
    story.worker.try_blocked({"*"}, ALL_TIME)
    assert story.worker.blocks == {}
    story.require_right()


def test_a_rival_finds_that_a_try_has_moved_the_checkpoint(connection: redis.Redis, keys: PartitionKeys) -> None:
    """Also where no row has changed: what it knows of blocks is void too."""
    frames = history(("a1", Raised(by=1)), ("a1", Raised(by=2)), ("a1", Raised(by=3)), ("b2", Opened(owner="ann")))
    log = RefusedLog(tallies("tally"), frames, connection)
    log.refused = {10, 30}
    worker = log.worker(keys)
    log.take(worker, frames[:3])
    rival = log.worker(keys)
    log.refused.remove(10)
    worker.try_blocked({"a1"})
    assert [block.version for block in blocks_of(connection, keys).values()] == [2]
    rival.close()  # and with it what it watches: the value alone tells
    with pytest.raises(CheckpointMoved):
        log.take(rival, frames[3:])
    rival.load()
    assert rival.blocks == worker.blocks


def test_a_skip_whose_end_would_block_too_many_stops_the_partition_until_it_is_set_again(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    sick = [(f"{number:08x}", Raised(by=-1)) for number in range(MOST_STREAMS + 1)]
    log = RefusedLog(tallies("tally"), history(*((tally, Opened(owner="ann")) for tally, _ in sick), *sick), connection)
    last = f"tally-{sick[-1][0]}"
    log.skips.skip(last, 1)
    worker = log.worker(keys)
    log.take(worker, log.frames)
    assert len(worker.blocks) == MOST_STREAMS
    log.skips.unskip(last, 1)
    with pytest.raises(TooManyBlocked, match=f"{last} 1 at .*: 1001 streams would be blocked, 0 records"):
        log.apply_skips(worker)
    with pytest.raises(TooManyBlocked):
        log.worker(keys)
    log.skips.skip(last, 1)
    worker = log.worker(keys)
    assert len(worker.blocks) == checkpoint_of(connection, keys).blocked == MOST_STREAMS
    assert checkpoint_of(connection, keys).skips == len(log.skips)


def test_a_stream_that_is_not_whole_any_more_stays_blocked_and_says_so(
    connection: redis.Redis, keys: PartitionKeys
) -> None:
    frames = history(("a1", Opened(owner="ann")), ("a1", Raised(by=-1)), ("a1", Raised(by=2)))

    def gone(aggregate_id: str, until: int, part: Part) -> Refolded[Tally]:
        raise CheckpointUnusable("tallies", f"of version {part.first} on, the first kept is None")

    partition = Partition(connection, tallies("tally"), keys, STORE, 5, gone)
    partition.load()
    partition.apply(frames)
    partition.try_blocked({"a1"})
    [block] = blocks_of(connection, keys).values()
    assert (block.version, block.waiting, block.tries) == (1, 1, 2)
    assert (block.error, block.reason) == ("CheckpointUnusable", "of version 1 on, the first kept is None")
    assert partition.blocks == {"a1": block}


@pytest.mark.parametrize(("made", "written_out"), [(tallies, tallies_of), (raises, raises_of), (summed, summed_of)])
def test_more_records_of_skips_than_are_applied_at_once_come_to_the_same(
    made: Made, written_out: WrittenOut, connection: redis.Redis, keys: PartitionKeys
) -> None:
    frames = history(("a1", Opened(owner="ann")), *(("a1", Raised(by=by)) for by in range(1, 160)))
    log = RefusedLog(made("tally"), frames, connection)
    worker = log.worker(keys)
    log.take(worker, frames)
    for version in range(10, 140):
        log.skips.skip("tally-a1", version)
    for version in range(20, 130):
        log.skips.unskip("tally-a1", version)
    log.apply_skips(worker)
    kept = [frame for frame in frames if not (10 <= frame.version < 20 or 130 <= frame.version < 140)]
    assert contents(connection, keys) == written_out(kept)
