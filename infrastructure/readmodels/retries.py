"""Which blocked streams operators want tried now: a hint, that a worker takes once."""

from collections.abc import Collection
from typing import Any

import redis

from infrastructure.readmodels.blocks import MOST_STREAMS
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.other_types import is_other_type
from infrastructure.readmodels.texts import text_of


def take_retries(connection: redis.Redis, keys: PartitionKeys) -> Collection[str]:
    """The keys of their rows, `*` for all; none where something else is stored there. Raises RedisError."""
    try:
        found: Any = connection.spop(keys.retries, MOST_STREAMS)
    except redis.ResponseError as error:
        if not is_other_type(error):
            raise
        connection.delete(keys.retries)
        return ()
    return {text_of(each) for each in found or ()}
