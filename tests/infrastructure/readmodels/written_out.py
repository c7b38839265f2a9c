"""What Redis has of a partition of tallies, and what it has to have: by code that shares nothing with the product's."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import redis

from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.subscriptions.frames import Happened
from tests.infrastructure.readmodels.summed import group_sizes, groups_of
from tests.infrastructure.readmodels.tallies import Closed, Opened

Contents = dict[str, dict[str, Any]]
"""The rows' fields and the indexes' entries, by the ends of their keys; and the inventory of both."""


def contents(connection: redis.Redis, keys: PartitionKeys) -> Contents:
    """All that stands there but for the checkpoint and the blocks."""
    found: Contents = {}
    for key in connection.scan_iter(match=keys.prefix.replace("{", "\\{") + "*", count=1_000):
        name, kind = key.decode().removeprefix(keys.prefix), connection.type(key)
        if kind == b"zset":
            entries: Any = connection.zrange(key, 0, -1, withscores=True)
            found[name] = {member.decode(): int(score) for member, score in entries}
        elif kind == b"hash" and name != "blocked":
            fields: Any = connection.hgetall(key)
            found[name] = {field.decode(): value.decode() for field, value in fields.items()}
    return found


def checkpoint_of(connection: redis.Redis, keys: PartitionKeys) -> Checkpoint:
    stored: Any = connection.get(keys.checkpoint)
    return Checkpoint.parse(stored.decode())


def blocks_of(connection: redis.Redis, keys: PartitionKeys) -> Mapping[str, Block]:
    """By the ids of their streams' aggregates."""
    stored: Any = connection.hgetall(keys.blocked)
    return {aggregate_id.decode(): Block.from_json(block) for aggregate_id, block in stored.items()}


def tallies_of(frames: Iterable[Happened]) -> Contents:
    """What `tallies` has to have after these events."""
    rows: dict[str, dict[str, Any]] = {}
    for frame in frames:
        event, tally = frame.events[0].event, frame.row_key
        if isinstance(event, Opened):
            rows[tally] = {"owner": event.owner, "total": 0, "opened": frame.position, "version": frame.version}
        elif isinstance(event, Closed):
            rows.pop(tally, None)
        elif tally in rows:
            rows[tally]["total"] += event.by
            rows[tally]["version"] = frame.version
    entries: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows.values():
        entries[f"owner:{row['owner']}"][str(row["opened"])] = row["opened"]
    return _written(rows, entries)


def summed_of(frames: Iterable[Happened]) -> Contents:
    """What `summed` has to have after these events."""
    found = tallies_of(frames)
    rows = [fields for name, fields in found.items() if name.startswith("row:")]
    groups = groups_of({"owner": row["owner"].strip('"'), "total": int(row["total"])} for row in rows)
    for name, members in groups.items():
        found[name] = {member: str(by) for member, by in members.items()} if name.startswith("sum:") else members
    return {**found, "groups": group_sizes(groups)}


def raises_of(frames: Iterable[Happened]) -> Contents:
    """What `raises` has to have after these events."""
    rows: dict[str, dict[str, Any]] = {}
    entries: dict[str, dict[str, int]] = defaultdict(dict)
    for frame in frames:
        event, tally, position = frame.events[0].event, frame.row_key, frame.position
        if isinstance(event, Opened):
            rows[tally] = {"owner": event.owner, "total": 0, "position": position}
        elif isinstance(event, Closed) or tally not in rows:
            continue
        else:
            rows[tally] = {**rows[tally], "total": rows[tally]["total"] + event.by, "position": position}
        entries[f"history:{rows[tally]['owner']}"][f"{position}:{rows[tally]['total']}"] = position
    return _written(rows, entries)


def _written(rows: Mapping[str, Mapping[str, Any]], entries: Mapping[str, Mapping[str, int]]) -> Contents:
    sizes = {"": "1", **{name: str(len(members)) for name, members in entries.items()}}
    found: Contents = {f"index:{name}": dict(members) for name, members in entries.items()}
    for tally, row in rows.items():
        texts = {name: f'"{value}"' if isinstance(value, str) else str(value) for name, value in row.items()}
        found[f"row:{tally}"] = texts
    ids = {"ids": dict.fromkeys(rows, 0)} if rows else {}
    return {**found, **ids, "sizes": sizes}
