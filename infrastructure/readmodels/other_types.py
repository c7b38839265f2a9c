"""Keys that hold something of another type than belongs there, as whoever else writes to Redis may leave them."""

from collections.abc import Sequence
from typing import Any

import redis


def is_other_type(reply: Any) -> bool:
    """Whether it says that the key is of another type than the command is for."""
    return isinstance(reply, redis.ResponseError) and "WRONGTYPE" in str(reply)


def readable(replies: Sequence[Any]) -> Sequence[Any]:
    """The same, those about other types among them. Raises the first other error."""
    for reply in replies:
        if isinstance(reply, Exception) and not is_other_type(reply):
            raise reply
    return replies
