"""Tells whether Redis takes writes: it may be read all the same while its disk or memory is full, or as a replica."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Final

import redis
from redis.asyncio import Redis
from redis.exceptions import AskError

from infrastructure.readmodels.slot_table import slot_of

_PROBE: Final = "write_probe"  # of the namespace; never written
_SET_WRONG: Final = (redis.ReadOnlyError, redis.exceptions.NoPermissionError)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing can be written, in the server's words; `is_by_setting` where it is a replica, or the user may not."""

    reason: str
    is_by_setting: bool


async def require_readable(connection: Redis, namespace: str, slot: int | None = None) -> None:
    """Raises RedisError where keys can't be read; a server that takes no writes may refuse a PING.

    `slot` is one that the server has, where it is one of a cluster.
    """
    with suppress(AskError):  # it answers, and the slot moves
        await connection.exists(_key(namespace, slot))


async def write_refusal(connection: Redis, namespace: str, slot: int | None = None) -> Refusal | None:
    """Why a write is refused, None where it is not. It changes nothing: `SET … XX` of a key that does not exist.

    Raises RedisError where the server can't be asked.
    """
    try:
        await connection.set(_key(namespace, slot), "", xx=True, px=1)
    except AskError:
        return None
    except redis.ResponseError as error:
        return Refusal(str(error), isinstance(error, _SET_WRONG))
    return None


@cache
def _key(namespace: str, slot: int | None) -> str:
    key = f"{namespace}:{_PROBE}"
    if slot is None:
        return key
    return next(tagged for number in count() if slot_of(tagged := f"{key}:{{{number}}}") == slot)
