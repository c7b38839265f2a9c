"""Connections to Redis for workers: every call is bounded, and the library retries none."""

from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_SECONDS: Final = 5.0


def connect(uri: str) -> redis.Redis:
    """A client for one thread. It connects at its first command; whoever uses it decides whether to try again."""
    return redis.Redis.from_url(
        uri, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=Retry(NoBackoff(), 0)
    )
