"""Reads keys of one slot as they are at one moment, also while a cluster moves the slot, key by key."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import redis
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import AskError, MovedError, TryAgainError

from infrastructure.readmodels.servers import Servers

_ATTEMPTS: Final = 10
_Command: TypeAlias = tuple[tuple[Any, ...], Mapping[str, Any]]


async def read_key(servers: Servers, key: str) -> Any:
    """The value of a key, None where it has one of another type (MGET answers so, GET fails). Raises RedisError."""
    [value] = await _read(servers, await servers.at(key), (("MGET", key), {}))
    return value


async def read_slot(servers: Servers, guard: str, put: Callable[[Pipeline], object]) -> list[Any]:
    """The value of the `guard`, and the replies to what `put` puts into a pipeline. Raises RedisError.

    The value is None where the guard has one of another type. All keys have the slot of the guard, which every
    transaction that changes one of them changes as well.
    """
    server = await servers.at(guard)
    async with server.pipeline(transaction=True) as pipeline:
        pipeline.mget(guard)
        put(pipeline)
        commands: list[_Command] = list(pipeline.command_stack)
        try:
            replies: list[Any] = await pipeline.execute()
        except (AskError, TryAgainError) as error:
            if isinstance(error, MovedError):
                raise
            replies = await _read_singly(servers, server, commands)
    [value], *others = replies
    return [value, *others]


async def _read_singly(servers: Servers, server: Redis, commands: Sequence[_Command]) -> list[Any]:
    """Each from the server that has its key by now: right where the guard, read first and last, has not changed."""
    for _ in range(_ATTEMPTS):
        replies = [await _read(servers, server, command) for command in commands]
        if await _read(servers, server, commands[0]) == replies[0]:
            return replies
    raise redis.ResponseError("the slot moves, and its keys change all the time")


async def _read(servers: Servers, server: Redis, command: _Command) -> Any:
    arguments, options = command
    try:
        return await server.execute_command(*arguments, **options)  # type: ignore[no-untyped-call]  # in redis
    except AskError as error:
        if isinstance(error, MovedError):
            raise
        host = error.host or server.connection_pool.connection_kwargs["host"]
        other = servers.at_address((host, error.port))
    async with other.pipeline(transaction=False) as pipeline:
        pipeline.execute_command("ASKING")
        pipeline.execute_command(*arguments, **options)
        return (await pipeline.execute())[1]
