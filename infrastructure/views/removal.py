"""Unlinks what a view holds in Redis; what it does not find any more expires by itself."""

from collections.abc import Sequence
from typing import Final

import redis

from infrastructure.readmodels.inventory import KEPT, listed_after
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.texts import text_of

_AT_ONCE: Final = 1_000


def held_keys(connection: redis.Redis, keys: PartitionKeys) -> int:
    """About how many keys a partition has. Raises RedisError."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.zcard(keys.ids)
        pipeline.hlen(keys.sizes)
        pipeline.hlen(keys.groups)
        pipeline.exists(*_fixed(keys))
        rows, sizes, groups, fixed = pipeline.execute()
    return int(rows) + max(0, int(sizes) - 1) + max(0, int(groups) - 1) + int(fixed)


def unlink(connection: redis.Redis, keys: PartitionKeys) -> int:
    """Unlinks the keys of a partition, the checkpoint first: whoever builds it commits nothing more; their number.

    Raises RedisError.
    """
    removed, last = int(connection.unlink(keys.checkpoint)), None
    while ids := listed_after(connection, keys, last, _AT_ONCE):
        last = ids[-1]
        removed += connection.unlink(*map(keys.row, ids))
    for inventory, key_of in ((keys.sizes, keys.index), (keys.groups, keys.group)):
        names = (text_of(name) for name, _ in connection.hscan_iter(inventory, count=_AT_ONCE))
        for several in _chunks([name for name in names if name != KEPT]):
            removed += connection.unlink(*map(key_of, several))
    return removed + int(connection.unlink(*_fixed(keys)))


def _fixed(keys: PartitionKeys) -> Sequence[str]:
    """Those that a partition has once."""
    return (
        keys.checkpoint,
        keys.status,
        keys.blocked,
        keys.retries,
        keys.ids,
        keys.sizes,
        keys.groups,
        keys.cut("from"),
        keys.cut("until"),
    )


def _chunks(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[first : first + _AT_ONCE] for first in range(0, len(names), _AT_ONCE)]
