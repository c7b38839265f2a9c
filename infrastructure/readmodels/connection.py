"""Connections to Redis for workers: every call is bounded, and the library retries none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import redis

from infrastructure.readmodels.cluster_connection import primary_clients, server_client, slot_client
from infrastructure.readmodels.uri import is_cluster

_SECONDS: Final = 5.0


def connect(uri: str, key: str | None = None) -> redis.Redis:
    """A client for one thread. It connects at its first command; whoever uses it decides whether to try again.

    Of a cluster it is for the keys of one slot, that of `key`, and finds the server that has it by itself.
    """
    if is_cluster(uri):
        return slot_client(uri, key, _SECONDS)
    return server_client(uri, _SECONDS)


@contextmanager
def connect_to_all(uri: str) -> Iterator[list[redis.Redis]]:
    """A client for each server that has keys: one, or those of a cluster. Raises RedisError."""
    if is_cluster(uri):
        with primary_clients(uri, _SECONDS) as clients:
            yield clients
    else:
        with connect(uri) as client:
            yield [client]
