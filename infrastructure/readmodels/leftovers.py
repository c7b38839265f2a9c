"""Unlinks keys of partitions that nobody reads any more, many in one round trip, of one server or of a cluster."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import redis

from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys

AT_ONCE: Final = 1_000


def unlink(server: redis.Redis, keys: Iterable[bytes]) -> int:
    """Unlinks these keys of one server; how many there were."""
    unlinked = 0
    for several in _in_chunks(keys):
        with server.pipeline(transaction=False) as pipeline:
            for key in several:  # one command can't have keys of several slots
                pipeline.unlink(key)
            unlinked += sum(pipeline.execute())
    return unlinked


def unlink_partitions(servers: Sequence[redis.Redis], keys: ProjectionKeys, partitions: Sequence[PartitionKeys]) -> int:
    """Unlinks all that these partitions of a projection hold; the number of keys. Walks through all of Redis once."""
    prefixes = tuple(each.prefix for each in partitions)
    return sum(
        unlink(
            server,
            (
                key
                for key in server.scan_iter(match=keys.generations_pattern, count=AT_ONCE)
                if key.decode(errors="replace").startswith(prefixes)
            ),
        )
        for server in servers
    )


def _in_chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, AT_ONCE)):
        yield chunk
