"""How much a partition holds in Redis: rows, index entries, and about how many bytes, by a bounded look at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from redis.asyncio import Redis

from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys

_INDEXES_COUNTED: Final = 1_000
_SAMPLED: Final = 50
"""Rows, indexes, and groups of sums whose memory is asked for; that of all is taken to be as much each."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """`entries` are those of all `indexes`; not `exact` where there are so many that a part was counted.

    `bytes` is an estimate from samples; None where Redis does not tell what its keys take.
    """

    rows: int
    indexes: int
    entries: int
    exact: bool
    bytes: int | None


async def sizes_of(connection: Redis, keys: PartitionKeys) -> Sizes:
    """All keys are of one slot. Raises RedisError; `connection` does not decode replies."""
    async with connection.pipeline(transaction=False) as pipeline:
        pipeline.zcard(keys.ids)
        pipeline.hlen(keys.sizes)
        pipeline.hscan(keys.sizes, count=_INDEXES_COUNTED)
        pipeline.zrandmember(keys.ids, _SAMPLED)
        pipeline.hlen(keys.groups)
        pipeline.hscan(keys.groups, count=_SAMPLED)
        rows, fields, (_, counted), ids, groups, (_, summed) = await pipeline.execute()
    indexes = max(0, fields - 1)
    sizes = {name.decode(): int(size) for name, size in counted.items() if name.decode() != KEPT}
    entries = sum(sizes.values())
    exact = len(sizes) >= indexes
    samples = (
        [keys.row(each.decode()) for each in ids],
        [keys.index(name) for name in list(sizes)[:_SAMPLED]],
        [keys.group(name.decode()) for name in summed if name.decode() != KEPT][:_SAMPLED],
    )
    used = await _used(connection, keys, samples)
    return Sizes(
        rows=rows,
        indexes=indexes,
        entries=entries if exact else round(entries * indexes / max(1, len(sizes))),
        exact=exact,
        bytes=None if used is None else used.of_all((rows, indexes, max(0, groups - 1))),
    )


@dataclass(frozen=True, slots=True)
class _Used:
    """What the keys of the partition itself take, and those of samples: of rows, of indexes, of groups of sums."""

    fixed: int
    samples: Sequence[Sequence[int]]

    def of_all(self, numbers: Sequence[int]) -> int:
        return self.fixed + sum(map(_scaled, self.samples, numbers))


async def _used(connection: Redis, keys: PartitionKeys, samples: Sequence[Sequence[str]]) -> _Used | None:
    own = (keys.checkpoint, keys.status, keys.ids, keys.sizes, keys.groups, keys.blocked)
    names = [*own, *chain(*samples)]
    async with connection.pipeline(transaction=False) as pipeline:
        for key in names:
            pipeline.memory_usage(key)
        replies: Sequence[Any] = await pipeline.execute(raise_on_error=False)
    if any(isinstance(reply, Exception) for reply in replies):
        return None
    taken: Mapping[str, int] = {key: reply or 0 for key, reply in zip(names, replies, strict=True)}
    return _Used(sum(taken[key] for key in own), [[taken[key] for key in sample] for sample in samples])


def _scaled(samples: Sequence[int], number: int) -> int:
    return round(sum(samples) * number / len(samples)) if samples else 0
