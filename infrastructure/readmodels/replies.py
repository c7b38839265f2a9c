"""Reads the replies to many commands at once from a connection of the library."""

from collections.abc import Iterator
from typing import Any

import redis
from hiredis import PushNotification
from redis._parsers.hiredis import NOT_ENOUGH_DATA


def read_replies(connection: Any, number: int) -> list[Any]:
    """So many replies, with those of refused commands among them. Raises RedisError for a lost connection.

    The library waits for one; what has come with it, mostly all the others, is taken straight from its parser. For each
    reply the library itself takes ten times as long as parsing it.
    """
    replies: list[Any] = []
    while len(replies) < number:
        replies.append(_awaited(connection))
        replies += _arrived(connection._parser, number - len(replies))
    return replies


def _awaited(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error


def _arrived(parser: Any, most: int) -> Iterator[Any]:
    """Those that are there whole, `most` at most. As the library does, it raises what ends a connection."""
    gets = parser._reader.gets
    for _ in range(most):
        reply = gets()
        if type(reply) is bytes:  # nearly all: QUEUED
            yield reply
        elif reply is NOT_ENOUGH_DATA:
            return
        elif isinstance(reply, PushNotification):
            parser.handle_push_response(reply)
        else:
            yield _checked(reply)


def _checked(reply: Any) -> Any:
    first = reply[0] if isinstance(reply, list) and reply else reply
    if isinstance(first, redis.ConnectionError):
        raise first
    return reply
