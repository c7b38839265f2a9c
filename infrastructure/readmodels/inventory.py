"""What a partition has to hold, kept in the transactions that write it: ids of rows, sizes of indexes."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import redis
from redis.client import Pipeline

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.keys import PartitionKeys
from projections.projection import Add, IndexChange, Remove

KEPT: Final = ""
"""The field of the sizes that is always there: without it they are lost."""
_COMPARED_AT_ONCE: Final = 500
_CHANGE_AND_COUNT: Final = """
redis.call('HSET', KEYS[1], '', 1)
for n = 2, #KEYS do
  local name, member, score = ARGV[3 * n - 5], ARGV[3 * n - 4], ARGV[3 * n - 3]
  local by = 0
  if score == '' then by = -redis.call('ZREM', KEYS[n], member) else by = redis.call('ZADD', KEYS[n], score, member) end
  if by ~= 0 and redis.call('HINCRBY', KEYS[1], name, by) == 0 then redis.call('HDEL', KEYS[1], name) end
end
"""


def list_rows(pipeline: Pipeline, keys: PartitionKeys, there: Collection[str], gone: Collection[str]) -> None:
    """Notes which rows there are, and which no longer."""
    if there:
        pipeline.zadd(keys.ids, dict.fromkeys(there, 0))
    if gone:
        pipeline.zrem(keys.ids, *gone)


def change_indexes(pipeline: Pipeline, keys: PartitionKeys, changes: Iterable[IndexChange]) -> None:
    """Changes the indexes, and their sizes by what that really added or removed."""
    names, arguments = [keys.sizes], list[str]()
    for change in changes:
        entry = change.entry
        names.append(keys.index(entry.index))
        arguments += [entry.index, entry.member, str(entry.score) if isinstance(change, Add) else ""]
    pipeline.eval(_CHANGE_AND_COUNT, len(names), *names, *arguments)


def change_uncounted_indexes(pipeline: Pipeline, keys: PartitionKeys, changes: Iterable[IndexChange]) -> None:
    """Changes the indexes of a generation that was begun before there were inventories."""
    for change in changes:
        match change:
            case Add(entry):
                pipeline.zadd(keys.index(entry.index), {entry.member: entry.score})
            case Remove(entry):
                pipeline.zrem(keys.index(entry.index), entry.member)


def missing(checkpoint: Checkpoint, listed: int, sizes_kept: bool) -> str | None:
    """What of the inventory itself is lost, read together with the checkpoint; None where it is whole."""
    if checkpoint.rows is None:
        return None
    if listed != checkpoint.rows:
        return f"{checkpoint.rows} rows were stored, {listed} are listed"
    return None if sizes_kept else "the sizes of its indexes are lost"


class Comparison:
    """Compares what is stored with the inventory, a part at a time, round and round."""

    def __init__(self, connection: redis.Redis, keys: PartitionKeys) -> None:
        self._redis: Final = connection
        self._keys: Final = keys
        self._first = 0
        self._cursor = 0

    def go_on(self) -> str | None:
        """What is lost of the next rows and indexes, None where nothing is."""
        return self._lost_row() or self._lost_entries()

    def _lost_row(self) -> str | None:
        ids = _texts(self._redis.zrange(self._keys.ids, self._first, self._first + _COMPARED_AT_ONCE - 1))
        self._first = self._first + len(ids) if len(ids) == _COMPARED_AT_ONCE else 0
        with self._redis.pipeline(transaction=True) as pipeline:  # a rival may have removed some of them meanwhile
            for aggregate_id in ids:
                pipeline.zscore(self._keys.ids, aggregate_id)
                pipeline.exists(self._keys.row(aggregate_id))
            replies = pipeline.execute()
        there = zip(ids, replies[::2], replies[1::2], strict=True)
        lost = next((each for each, listed, stored in there if listed is not None and not stored), None)
        return None if lost is None else f"the row {lost} is lost"

    def _lost_entries(self) -> str | None:
        self._cursor, found = self._redis.hscan(self._keys.sizes, self._cursor, count=_COMPARED_AT_ONCE)
        names = [name for name in _texts(found) if name != KEPT]
        with self._redis.pipeline(transaction=True) as pipeline:
            for name in names:
                pipeline.hget(self._keys.sizes, name)
                pipeline.zcard(self._keys.index(name))
            replies = pipeline.execute()
        there = zip(names, replies[::2], replies[1::2], strict=True)
        lost = next((name for name, size, entries in there if int(size or 0) != entries), None)
        return None if lost is None else f"entries of the index {lost} are lost"


def _texts(values: Iterable[Any]) -> Sequence[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
