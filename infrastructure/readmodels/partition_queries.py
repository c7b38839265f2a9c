"""Which Redis commands a query sends to each partition, and how their replies are merged."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from redis.asyncio.client import Pipeline

from infrastructure.eventstore.stream_patterns import partition_of
from infrastructure.readmodels.groups import members_in, put_members
from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.pointers import Generation
from projections.projection import Entry

PartitionQuery: TypeAlias = Callable[[Pipeline, PartitionKeys], None]
"""Puts the commands for one partition into a pipeline."""
Query: TypeAlias = Callable[[Generation], Mapping[int, PartitionQuery]]
"""From a generation to the queries of its partitions, by their numbers."""
Replies: TypeAlias = list[Any]
"""Of one partition, one for each command."""


def checkpoints(generation: Generation) -> Mapping[int, PartitionQuery]:
    """Nothing but the checkpoint of each partition, which comes with every reply."""
    return dict.fromkeys(range(generation.partitions), lambda *_: None)


def partition_holding(row_key: str) -> Query:
    """Nothing but the checkpoint of the partition of this aggregate."""
    return lambda generation: {partition_of(row_key, generation.partitions): lambda *_: None}


def rows(row_keys: Iterable[str]) -> Query:
    """The hashes of these rows, each from its own partition, there in the order given."""

    def query(generation: Generation) -> Mapping[int, PartitionQuery]:
        grouped = by_partition(row_keys, generation)
        return {partition: partial(_get_rows, ids) for partition, ids in grouped.items()}

    return query


def by_partition(row_keys: Iterable[str], generation: Generation) -> Mapping[int, Sequence[str]]:
    """The ids by their partition, in the order given."""
    grouped: defaultdict[int, list[str]] = defaultdict(list)
    for row_key in row_keys:
        grouped[partition_of(row_key, generation.partitions)].append(row_key)
    return grouped


def newest(index: str, limit: int, cursor: int | None) -> Query:
    """The newest entries of an index before the cursor: `limit` of every partition, since all may stand in one."""

    def query(generation: Generation) -> Mapping[int, PartitionQuery]:
        return {partition: partial(_get_newest, index, limit, cursor) for partition in range(generation.partitions)}

    return query


def merged(index: str, limit: int, replies: Iterable[Replies]) -> tuple[tuple[Entry, ...], int | None]:
    """The newest of all partitions' entries, and the cursor of what follows them, None at the end (k-way merge)."""
    lists = ([Entry(index, member.decode(), int(score)) for member, score in reply[0]] for reply in replies)
    entries = tuple(islice(heapq.merge(*lists, key=lambda entry: entry.score, reverse=True), limit + 1))
    return entries[:limit], entries[limit - 1].score if len(entries) > limit else None


def groups(names: Sequence[str]) -> Query:
    """All members of these groups of sums, by their stored names, of every partition."""

    def query(generation: Generation) -> Mapping[int, PartitionQuery]:
        return dict.fromkeys(range(generation.partitions), partial(_get_groups, names))

    return query


def added(names: Sequence[str], replies: Iterable[Replies]) -> dict[str, Counter[str]]:
    """The sums over all partitions, without those that come to 0. Raises LookupError where Redis has lost some."""
    found = {name: Counter[str]() for name in names}
    for *members, (kept, *sizes) in replies:
        for name, reply, size in zip(names, members, sizes, strict=True):
            if kept is None or len(reply) != int(size or 0):
                raise LookupError("Redis has lost a part of a sum")
            found[name].update(members_in(reply))
    return {name: Counter({member: by for member, by in each.items() if by}) for name, each in found.items()}


def row_fields(replies: Replies) -> list[dict[bytes, bytes]]:
    """The hashes of the rows that were asked for. Raises LookupError where one is listed and not there."""
    rows, listed = replies[::2], replies[1::2]
    if any(not fields and score is not None for fields, score in zip(rows, listed, strict=True)):
        raise LookupError("Redis has lost a row")
    return rows


def require_whole_index(replies: Replies) -> None:
    """Raises LookupError for an index that has lost entries, where entries are counted."""
    _, entries, (kept, size) = replies
    if kept is not None and entries != int(size or 0):
        raise LookupError("Redis has lost entries of an index")


def _get_rows(row_keys: Sequence[str], pipeline: Pipeline, keys: PartitionKeys) -> None:
    for row_key in row_keys:
        pipeline.hgetall(keys.row(row_key))
        pipeline.zscore(keys.ids, row_key)


def _get_groups(names: Sequence[str], pipeline: Pipeline, keys: PartitionKeys) -> None:
    for name in names:
        put_members(pipeline, keys, name)
    pipeline.hmget(keys.groups, KEPT, *names)


def _get_newest(index: str, limit: int, cursor: int | None, pipeline: Pipeline, keys: PartitionKeys) -> None:
    highest = "+inf" if cursor is None else f"({cursor}"
    pipeline.zrevrangebyscore(keys.index(index), highest, "-inf", start=0, num=limit + 1, withscores=True)
    pipeline.zcard(keys.index(index))
    pipeline.hmget(keys.sizes, KEPT, index)
