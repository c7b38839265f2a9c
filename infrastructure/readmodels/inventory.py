"""What a partition has to hold, kept in the transactions that write it: ids of rows, sizes of indexes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import redis
from redis.client import Pipeline

from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.texts import text_of
from projections.projection import Add, IndexChange, Remove

KEPT: Final = ""
"""The field of the sizes that is always there: without it they are lost."""
ROWS_COMPARED: Final = 2_000
INDEXES_COMPARED: Final = 500
_ASKED_AT_ONCE: Final = 100  # rows: what a command takes of Redis's memory may cost other rows
_CHANGE_AND_COUNT: Final = """
redis.call('HSET', KEYS[1], '', 1)
for n = 2, #KEYS do
  local name, member, score = ARGV[3 * n - 5], ARGV[3 * n - 4], ARGV[3 * n - 3]
  local by = 0
  if score == '' then by = -redis.call('ZREM', KEYS[n], member) else by = redis.call('ZADD', KEYS[n], score, member) end
  if by ~= 0 and redis.call('HINCRBY', KEYS[1], name, by) == 0 then redis.call('HDEL', KEYS[1], name) end
end
"""


def list_rows(transaction: Transaction, keys: PartitionKeys, there: Collection[str], gone: Collection[str]) -> None:
    """Notes which rows there are, and which no longer."""
    if there:
        transaction.add("ZADD", keys.ids, *(part for each in there for part in (0, each)))
    if gone:
        transaction.add("ZREM", keys.ids, *gone)


def change_indexes(transaction: Transaction, keys: PartitionKeys, changes: Iterable[IndexChange]) -> None:
    """Changes the indexes, and their sizes by what that really added or removed.

    So what an index has lost stays missing in the count, whatever is added or removed meanwhile.
    """
    names, arguments = [keys.sizes], list[str]()
    for change in changes:
        entry = change.entry
        names.append(keys.index(entry.index))
        arguments += [entry.index, entry.member, str(entry.score) if isinstance(change, Add) else ""]
    transaction.add("EVAL", _CHANGE_AND_COUNT, len(names), *names, *arguments)


def change_uncounted_indexes(transaction: Transaction, keys: PartitionKeys, changes: Iterable[IndexChange]) -> None:
    """Changes the indexes of a generation that was begun before there were inventories."""
    for change in changes:
        match change:
            case Add(entry):
                transaction.add("ZADD", keys.index(entry.index), entry.score, entry.member)
            case Remove(entry):
                transaction.add("ZREM", keys.index(entry.index), entry.member)


def missing(checkpoint: Checkpoint, listed: int, sizes_kept: bool, blocked: int) -> str | None:
    """What of the inventory itself is lost, read together with the checkpoint; None where it is whole.

    So many rows are `listed`, and so many streams `blocked`.
    """
    if blocked != checkpoint.blocked:
        return f"{checkpoint.blocked} streams were blocked, {blocked} are stored"
    if checkpoint.rows is None:
        return None
    if listed != checkpoint.rows:
        return f"{checkpoint.rows} rows were stored, {listed} are listed"
    return None if sizes_kept else "the sizes of its indexes are lost"


def listed_after(connection: redis.Redis, keys: PartitionKeys, last: str | None, limit: int) -> Sequence[str]:
    """The next ids of rows after the `last` one, None: the first."""
    found = connection.zrangebylex(keys.ids, "-" if last is None else f"({last}", "+", 0, limit)
    return [text_of(each) for each in found]


def set_sizes(transaction: Transaction, keys: PartitionKeys, sizes: Mapping[str, int]) -> None:
    """Sets the sizes of these indexes; an empty one has none."""
    for name, size in sizes.items():
        if size:
            transaction.add("HSET", keys.sizes, name, size)
        else:
            transaction.add("HDEL", keys.sizes, name)


def sizes_of(keys: PartitionKeys, fence: Fence, names: Sequence[str]) -> Mapping[str, tuple[int, int]]:
    """Of each index, how many entries it has to have, and how many it has, at the checkpoint that the fence knows.

    Raises CheckpointMoved.
    """

    def put(pipeline: Pipeline) -> None:
        for name in names:
            pipeline.hget(keys.sizes, name)
            pipeline.zcard(keys.index(name))

    replies = fence.read(put)
    return {name: (int(size or 0), there) for name, size, there in zip(names, replies[::2], replies[1::2], strict=True)}


class Comparison:
    """Compares what is stored with the inventory, a part at a time, round and round."""

    def __init__(self, connection: redis.Redis, keys: PartitionKeys, fence: Fence) -> None:
        self._redis: Final = connection
        self._keys: Final = keys
        self._fence: Final = fence
        self._last: str | None = None
        self._cursor = 0

    def lost_rows(self) -> Sequence[str]:
        """Which of the next 2,000 rows are lost."""
        ids = listed_after(self._redis, self._keys, self._last, ROWS_COMPARED)
        self._last = ids[-1] if len(ids) == ROWS_COMPARED else None
        parts = [ids[first : first + _ASKED_AT_ONCE] for first in range(0, len(ids), _ASKED_AT_ONCE)]
        singly = [[each] for part in self._incomplete(parts) for each in part]
        return [each for [each] in self._incomplete(singly)]

    def _incomplete(self, parts: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        """Those of these parts of which not all rows are there."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for part in parts:
                pipeline.exists(*map(self._keys.row, part))
            there = pipeline.execute()
        return [part for part, rows in zip(parts, there, strict=True) if rows < len(part)]

    def missing_entries(self) -> Mapping[str, int]:
        """How many entries the next 500 or so indexes have lost; those that are whole are left out.

        Raises CheckpointMoved.
        """
        self._cursor, found = self._redis.hscan(self._keys.sizes, self._cursor, count=INDEXES_COMPARED)
        names = [name for name in map(text_of, found) if name != KEPT]
        sizes = sizes_of(self._keys, self._fence, names) if names else {}
        return {name: size - there for name, (size, there) in sizes.items() if size != there}
