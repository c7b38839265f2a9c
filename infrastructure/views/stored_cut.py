"""Keeps the cuts of a view's partition in Redis, so that a build goes on with those that it began with."""

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import redis

from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.texts import text_of
from infrastructure.views.cut import Cut

Side: TypeAlias = Literal["from", "until"]
_FIRST_LATER: Final = ""
"""The field that is written last: without it the cut is not whole."""
_AT_ONCE: Final = 1_000


def kept_cut(connection: redis.Redis, keys: PartitionKeys, side: Side, find: Callable[[], Cut]) -> Cut:
    """The cut that Redis has, else one that is found now and kept. Raises RedisError, and what `find` raises."""
    known = known_cut(connection, keys, side)
    if known is None:
        known = find()
        _keep(connection, keys, side, known)
    return known


def known_cut(connection: redis.Redis, keys: PartitionKeys, side: Side) -> Cut | None:
    """The cut that Redis has; None where it has none, or one that is not whole. Raises RedisError."""
    first_later = known_position(connection, keys, side)
    if first_later is None:
        return None
    cut = Cut(first_later)
    try:
        for name, version in connection.hscan_iter(keys.cut(side), count=_AT_ONCE):
            if stream := text_of(name):
                cut.resumed.add([(stream, int(version))])
    except ValueError:  # no release has written that
        cut.close()
        return None
    return cut


def known_position(connection: redis.Redis, keys: PartitionKeys, side: Side) -> int | None:
    """Where the kept cut is, None where there is none. Raises RedisError."""
    stored = connection.hget(keys.cut(side), _FIRST_LATER)
    return None if stored is None or not stored.isdigit() else int(stored)


def _keep(connection: redis.Redis, keys: PartitionKeys, side: Side, cut: Cut) -> None:
    key = keys.cut(side)
    connection.delete(key)
    for streams in cut.resumed.chunks():
        _put(connection, keys, key, dict(streams))
    _put(connection, keys, key, {_FIRST_LATER: cut.first_later})


def _put(connection: redis.Redis, keys: PartitionKeys, key: str, fields: dict[str, int]) -> None:
    with connection.pipeline(transaction=True) as pipeline:
        pipeline.hset(key, mapping={name: str(number) for name, number in fields.items()})
        if keys.expires_at is not None:
            pipeline.pexpireat(key, keys.expires_at)
        pipeline.execute()
