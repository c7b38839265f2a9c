"""Reads all keys of a read model's live generation, whoever wrote them and whatever they are.

A cluster is read by the library's client for clusters, which the product does not use.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import redis
from redis.cluster import ClusterNode, RedisCluster

from infrastructure.readmodels.uri import is_cluster, nodes_in
from tests.infrastructure.readmodels.durability.log_fold import Keys

Connection: TypeAlias = redis.Redis | RedisCluster
_SECONDS = 60.0


@contextmanager
def connection_to(uri: str) -> Iterator[Connection]:
    """A connection that decodes replies."""
    if not is_cluster(uri):
        with redis.Redis.from_url(uri, decode_responses=True, socket_timeout=_SECONDS) as connection:
            yield connection
    else:
        nodes = [ClusterNode(*node) for node in nodes_in(uri)]  # type: ignore[no-untyped-call]  # redis leaves it untyped
        with RedisCluster(startup_nodes=nodes, decode_responses=True, socket_timeout=_SECONDS) as connection:
            yield connection


def live_generation(connection: Connection, namespace: str, projection: str) -> int | None:
    """Its number; None while none is complete."""
    pointer: Any = connection.get(f"{{{namespace}:{projection}}}:live")
    return None if pointer is None else int(json.loads(pointer)["number"])


def positions(connection: Connection, namespace: str, projection: str, partitions: int) -> list[int]:
    """How far each partition of the live generation is; -1 where there is nothing yet."""
    found = [each.get("position") for each in _checkpoints(connection, namespace, projection, partitions)]
    return [-1 if position is None else int(position) for position in found]


def skips_applied(connection: Connection, namespace: str, projection: str, partitions: int) -> list[int]:
    """By each partition of the live generation: up to which record of them."""
    return [each.get("skips", 0) for each in _checkpoints(connection, namespace, projection, partitions)]


def stored_keys(connection: Connection, namespace: str, projection: str) -> Keys:
    """The keys of the live generation, but for the reports of its workers, and what they are asked to try."""
    prefix = f"{{{namespace}:{projection}:{live_generation(connection, namespace, projection)}:"
    found = connection.scan_iter(match=f"{prefix}*", count=10_000)
    names = [name for name in found if not name.endswith(("}:status", "}:retries"))]
    with connection.pipeline(transaction=False) as pipeline:
        for name in names:
            _read(pipeline, name)
        values = pipeline.execute()
    found = zip((name.removeprefix(prefix) for name in names), values, strict=True)
    return {name: _blocks(value) if name.endswith("}:blocked") else _plain(value) for name, value in found}


def repairs(connection: Connection, namespace: str, projection: str, partitions: int) -> int:
    """How many rows and entries were written again beside the fold, as the checkpoints count them."""
    return sum(each.get("repairs", 0) for each in _checkpoints(connection, namespace, projection, partitions))


def differences(expected: Keys, found: Keys) -> list[str]:
    """A line for each key that is not as it must be."""
    wrong = [key for key in sorted(expected.keys() | found.keys()) if expected.get(key) != found.get(key)]
    return [f"{key}: {_unlike(expected.get(key), found.get(key))}" for key in wrong]


def _checkpoints(connection: Connection, namespace: str, projection: str, partitions: int) -> list[dict[str, Any]]:
    """Of all partitions of the live generation; empty ones where there are none."""
    number = live_generation(connection, namespace, projection)
    with connection.pipeline(transaction=False) as pipeline:
        for partition in range(partitions):
            pipeline.get(f"{{{namespace}:{projection}:{number}:p{partition}}}:checkpoint")
        return [{} if stored is None else json.loads(stored) for stored in pipeline.execute()]


def _unlike(expected: Any, found: Any) -> str:
    """Of two large values only what is different."""
    if isinstance(expected, dict) and isinstance(found, dict):
        expected, found = (
            {name: value for name, value in one.items() if other.get(name) != value}
            for one, other in ((expected, found), (found, expected))
        )
    return f"expected {expected!r}, found {found!r}"


def _read(pipeline: Any, name: str) -> None:
    kind = name.partition("}:")[2].partition(":")[0]
    if kind in {"row", "sizes", "blocked", "sum", "groups"}:
        pipeline.hgetall(name)
    elif kind in {"index", "ids", "ranked"}:
        pipeline.zrange(name, 0, -1, withscores=True)
    elif kind == "checkpoint":
        pipeline.get(name)
    else:
        pipeline.type(name)  # there is no such key: it will be told as a difference


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return dict(value)
    if isinstance(value, str) and value.startswith("{"):
        checkpoint = json.loads(value)
        anchor = checkpoint["anchor"]
        place = -1 if anchor["position"] is None else anchor["position"]
        counted = {name: checkpoint.get(name, 0) for name in ("rows", "blocked", "skips")}
        return {**counted, "anchor": place, "event": anchor["id"]}
    return value


def _blocks(stored: Any) -> Any:
    """What does not tell of errors and tries."""
    blocks = {tally: json.loads(block) for tally, block in stored.items()}
    members = ("version", "position", "event_id", "waiting")
    return {tally: {name: block[name] for name in members} for tally, block in blocks.items()}
