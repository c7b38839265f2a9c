"""The sums of a partition: changed in the transaction of the rows they follow from; counted, so that a loss shows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import redis
from redis.client import Pipeline

from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.texts import text_of
from projections.sums import MOST, Counter, Place, stored_group

Groups: TypeAlias = Mapping[str, Mapping[str, int]]
"""Counters, or weights of a ranking, by their members; these by the stored names of their groups."""
GROUPS_COMPARED: Final = 500
_PUT_AT_ONCE: Final = 1_000
_COUNTERS: Final = stored_group(Counter, "")
_CHANGE_AND_COUNT: Final = f"""
local at = 2
for n = 2, #KEYS do
  local key, name, last = KEYS[n], ARGV[at], at + 2 * ARGV[at + 1]
  local counters = string.sub(name, 1, {len(_COUNTERS)}) == '{_COUNTERS}'
  local size = counters and 'HLEN' or 'ZCARD'
  local before = redis.call(size, key)
  for m = at + 2, last, 2 do
    local member, by = ARGV[m], ARGV[m + 1]
    local sum = counters and redis.pcall('HINCRBY', key, member, by) or redis.pcall('ZINCRBY', key, -by, member)
    if type(sum) == 'table' then return redis.error_reply('SUM ' .. name .. ' ' .. member .. ': ' .. sum.err) end
    if tonumber(sum) == 0 then redis.call(counters and 'HDEL' or 'ZREM', key, member) end
    if not counters and math.abs(sum) > {MOST} then
      return redis.error_reply('SUM ' .. name .. ' ' .. member .. ': its weight is above {MOST}')
    end
  end
  local after = redis.call(size, key)
  if ARGV[1] == 'anew' then
    if after == 0 then redis.call('HDEL', KEYS[1], name) else redis.call('HSET', KEYS[1], name, after) end
  elseif after ~= before and redis.call('HINCRBY', KEYS[1], name, after - before) == 0 then
    redis.call('HDEL', KEYS[1], name)
  end
  at = last + 2
end
"""


def begin_groups(transaction: Transaction, keys: PartitionKeys) -> None:
    """Begins the inventory. Nothing else does: one that is lost is not taken for whole after the next change."""
    transaction.add("HSET", keys.groups, KEPT, 1)


def change_groups(
    transaction: Transaction, keys: PartitionKeys, changes: Mapping[Place, int], *, counted_anew: bool = False
) -> None:
    """Adds what changes to the sums, and to the groups' sizes what that really added or removed.

    So what a group has lost stays missing in the count, whatever is added meanwhile; unless it is to be `counted_anew`.
    """
    groups: dict[str, list[str]] = {}
    for (group, member), by in changes.items():
        if by:
            groups.setdefault(group, []).extend((member, str(by)))
        elif counted_anew:
            groups.setdefault(group, [])
    arguments = ["anew" if counted_anew else "on"]
    for group, parts in groups.items():
        arguments += (group, str(len(parts) // 2), *parts)
    names = [keys.groups, *map(keys.group, groups)]
    transaction.add("EVAL", _CHANGE_AND_COUNT, len(names), *names, *arguments)


def put_groups(transaction: Transaction, keys: PartitionKeys, groups: Groups) -> None:
    """Replaces these groups, whatever is there of them, and notes their sizes."""
    for group, members in groups.items():
        key, there = keys.group(group), [(member, by) for member, by in members.items() if by]
        transaction.add("DEL", key)
        for first in range(0, len(there), _PUT_AT_ONCE):
            some = there[first : first + _PUT_AT_ONCE]
            if has_counters(group):
                transaction.add("HSET", key, *(part for each in some for part in each))
            else:
                transaction.add("ZADD", key, *(part for member, weight in some for part in (-weight, member)))
        if there:
            transaction.add("HSET", keys.groups, group, len(there))
        else:
            transaction.add("HDEL", keys.groups, group)


def has_counters(group: str) -> bool:
    """Whether a group of that stored name is of counters; else it is a ranking."""
    return group.startswith(_COUNTERS)


def put_size(pipeline: Any, keys: PartitionKeys, group: str) -> None:
    """Asks how many members a group has, and how many it has to have."""
    if has_counters(group):
        pipeline.hlen(keys.group(group))
    else:
        pipeline.zcard(keys.group(group))
    pipeline.hget(keys.groups, group)


def is_of_type(group: str, found: bytes) -> bool:
    """Whether the type that Redis tells of a group's key is the right one, or none, where there is no key."""
    return found in {b"none", b"hash" if has_counters(group) else b"zset"}


def put_members(pipeline: Any, keys: PartitionKeys, group: str) -> None:
    """Asks for all members of a group."""
    if has_counters(group):
        pipeline.hgetall(keys.group(group))
    else:
        pipeline.zrange(keys.group(group), 0, -1, withscores=True)


def members_in(reply: Any) -> dict[str, int]:
    """The reply to that. Raises ValueError for what is no integer."""
    if isinstance(reply, dict):
        return {text_of(member): int(counter) for member, counter in reply.items()}
    return {text_of(member): _weight(score) for member, score in reply}


def _weight(score: float) -> int:
    if not score.is_integer():
        raise ValueError(f"{score} is no weight")
    return -int(score)


class GroupComparison:
    """Compares the sums that are stored with their inventory, a part at a time, round and round."""

    def __init__(self, connection: redis.Redis, keys: PartitionKeys, fence: Fence) -> None:
        self._redis: Final = connection
        self._keys: Final = keys
        self._fence: Final = fence
        self._cursor = 0

    def lost(self) -> Sequence[str] | None:
        """Which of the next 500 or so groups have lost members, or are none any more; None where the inventory is lost.

        Raises CheckpointMoved.
        """
        self._cursor, found = self._redis.hscan(self._keys.groups, self._cursor, count=GROUPS_COMPARED)
        names = [name for name in map(text_of, found) if name != KEPT]
        kept, *types = self._fence.read(lambda pipeline: self._put_types(pipeline, names))
        if not kept:
            return None
        foreign = [name for name, found in zip(names, types, strict=True) if not is_of_type(name, found)]
        own = [name for name in names if name not in foreign]
        sizes = self._fence.read(lambda pipeline: self._put_sizes(pipeline, own))
        pairs = zip(own, sizes[::2], sizes[1::2], strict=True)
        return foreign + [name for name, there, size in pairs if there != int(size or 0)]

    def _put_types(self, pipeline: Pipeline, names: Iterable[str]) -> None:
        pipeline.hexists(self._keys.groups, KEPT)
        for name in names:
            pipeline.type(self._keys.group(name))

    def _put_sizes(self, pipeline: Pipeline, names: Iterable[str]) -> None:
        for name in names:
            put_size(pipeline, self._keys, name)
