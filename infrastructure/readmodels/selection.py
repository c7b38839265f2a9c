"""What a query asks of each partition, and what its answers come to."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from redis.asyncio.client import Pipeline

from infrastructure.eventstore.stream_patterns import partition_of
from infrastructure.readmodels.generations import Generation
from infrastructure.readmodels.keys import PartitionKeys
from projections.projection import Entry

Commands: TypeAlias = Callable[[Pipeline, PartitionKeys], None]
Selection: TypeAlias = Callable[[Generation], Mapping[int, Commands]]
"""From a generation to what is to be asked of which of its partitions."""
Answers: TypeAlias = list[Any]


def rows(aggregate_ids: Iterable[str]) -> Selection:
    """The hashes of these rows, each asked of its own partition, in the order given within that."""

    def select(generation: Generation) -> Mapping[int, Commands]:
        grouped = by_partition(aggregate_ids, generation)
        return {partition: partial(_ask_rows, ids) for partition, ids in grouped.items()}

    return select


def by_partition(aggregate_ids: Iterable[str], generation: Generation) -> Mapping[int, Sequence[str]]:
    """The ids by their partition, in the order given."""
    grouped: defaultdict[int, list[str]] = defaultdict(list)
    for aggregate_id in aggregate_ids:
        grouped[partition_of(aggregate_id, generation.partitions)].append(aggregate_id)
    return grouped


def newest(index: str, limit: int, cursor: int | None) -> Selection:
    """The newest entries of an index before the cursor; as many of every partition as all of them may have to give."""

    def select(generation: Generation) -> Mapping[int, Commands]:
        return {partition: partial(_ask_newest, index, limit, cursor) for partition in range(generation.partitions)}

    return select


def merged(index: str, limit: int, answers: Iterable[Answers]) -> tuple[tuple[Entry, ...], int | None]:
    """The newest of all partitions' entries, and the cursor of what follows them, None at the end (k-way merge)."""
    lists = ([Entry(index, member.decode(), int(score)) for member, score in answer[0]] for answer in answers)
    entries = tuple(islice(heapq.merge(*lists, key=lambda entry: entry.score, reverse=True), limit + 1))
    return entries[:limit], entries[limit - 1].score if len(entries) > limit else None


def _ask_rows(aggregate_ids: Sequence[str], pipeline: Pipeline, keys: PartitionKeys) -> None:
    for aggregate_id in aggregate_ids:
        pipeline.hgetall(keys.row(aggregate_id))


def _ask_newest(index: str, limit: int, cursor: int | None, pipeline: Pipeline, keys: PartitionKeys) -> None:
    highest = "+inf" if cursor is None else f"({cursor}"
    pipeline.zrevrangebyscore(keys.index(index), highest, "-inf", start=0, num=limit + 1, withscores=True)
