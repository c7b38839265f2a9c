"""What a batch changes in sums follows from its rows before and after it, and is committed with them or not at all."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
import redis

from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable
from infrastructure.readmodels.fold import fold
from infrastructure.readmodels.keys import PartitionKeys
from projections.projection import Projection
from projections.sums import MOST, Contribution, Counter, Ranked
from tests.infrastructure.readmodels.partitions import partition_of
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, Tally, history, raises
from tests.infrastructure.readmodels.written_out import contents, summed_of

SUMMED = summed("tally")
FRAMES = history(
    ("a", Opened(owner="ann")), ("a", Raised(by=3)), ("b", Opened(owner="ann")), ("b", Raised(by=5)), ("a", Closed())
)


def test_a_batch_adds_what_its_rows_come_to() -> None:
    folded = fold(SUMMED, {"a": None, "b": None}, FRAMES, None)
    assert {place: by for place, by in folded.sums.items() if place[0] != "sum:sketch"} == {
        ("sum:open", "ann"): 1,
        ("sum:totals", "ann"): 5,
        ("ranked:owners", "ann"): 5,
        ("ranked:totals", "5"): 1,
    }


def test_sums_follow_from_rows_also_where_entries_do_not() -> None:
    projection = replace(raises("tally"), sums=lambda row: [Counter("totals", row.owner, row.total)])
    assert fold(projection, {}, FRAMES, None).sums == {("sum:totals", "ann"): 8}


def test_a_row_that_can_not_be_summed_blocks_its_stream_alone() -> None:
    def sums(row: Tally) -> Iterable[Contribution]:
        yield Counter("totals", row.owner, row.total if row.total != 3 else MOST + row.total)

    folded = fold(replace(SUMMED, sums=sums), {"a": None, "b": None}, FRAMES[:4], None)
    assert folded.sums == {("sum:totals", "ann"): 5}
    assert [(each, block.version, block.waiting) for each, block in folded.blocks.items() if block] == [("a", 1, 0)]
    [block] = folded.blocks.values()
    assert block is not None
    assert f"{MOST + 3} can't be added to ann of totals" in block.reason


@pytest.mark.parametrize("size", [1, 2, 5])
def test_however_it_is_split_into_batches_it_comes_to_the_same(
    size: int, connection: redis.Redis, keys: PartitionKeys
) -> None:
    partition = partition_of(connection, keys, SUMMED)
    partition.load()
    for first in range(0, len(FRAMES), size):
        partition.apply(FRAMES[first : first + size])
    assert contents(connection, keys) == summed_of(FRAMES)


def test_a_rival_adds_nothing(connection: redis.Redis, keys: PartitionKeys) -> None:
    first, rival = partition_of(connection, keys, SUMMED), partition_of(connection, keys, SUMMED)
    first.load()
    rival.load()
    first.apply(FRAMES)
    with pytest.raises(CheckpointMoved):
        rival.apply(FRAMES)
    rival.load()
    rival.apply(FRAMES)
    assert contents(connection, keys) == summed_of(FRAMES)


def test_sums_of_a_projection_without_any_are_not_kept(connection: redis.Redis, keys: PartitionKeys) -> None:
    partition = partition_of(connection, keys)
    partition.load()
    partition.apply(FRAMES)
    partition.verify()
    assert not connection.exists(keys.groups)


TOO_MUCH: dict[str, tuple[Callable[[Tally], Iterable[Contribution]], int, str]] = {
    "a weight": (
        lambda row: [Ranked("totals", "all", MOST)],
        2,
        f"SUM ranked:totals all: its weight is above {MOST}",
    ),
    "a counter": (
        lambda row: [Counter("totals", "all", MOST)] * 1024,
        2,
        "SUM sum:totals all: .*(overflow|out of range)",
    ),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_sum_that_does_not_fit_is_named(what: str, connection: redis.Redis, keys: PartitionKeys) -> None:
    sums, rows, said = TOO_MUCH[what]
    projection: Projection[Any] = replace(SUMMED, sums=sums)
    partition = partition_of(connection, keys, projection)
    partition.load()
    with pytest.raises(CheckpointUnusable, match=said):
        partition.apply(history(*((f"{number}", Opened(owner="ann")) for number in range(rows))))
