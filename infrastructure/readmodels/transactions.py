"""Transactions in Redis that read before they write, begun anew where others have written meanwhile."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import redis
from redis.client import Pipeline

from infrastructure.readmodels.errors import ReadModelUnavailable

T = TypeVar("T")
_ATTEMPTS: Final = 100


def transact(connection: redis.Redis, projection: str, watched: Sequence[str], action: Callable[[Pipeline], T]) -> T:
    """What the action answers, which reads, calls `multi` and writes, until nobody interferes with what is `watched`.

    Raises ReadModelUnavailable where somebody does all the time, and RedisError.
    """
    for _ in range(_ATTEMPTS):
        with connection.pipeline(transaction=True) as pipeline:
            try:
                pipeline.watch(*watched)  # type: ignore[no-untyped-call]  # redis leaves it untyped
                result = action(pipeline)
                pipeline.execute()
            except redis.WatchError:
                continue
            return result
    raise ReadModelUnavailable(projection, f"{watched[0]} changes all the time")
