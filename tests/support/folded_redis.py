"""A log that is folded into Redis by the workers' own partitions, and what is stored there then."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Final, NoReturn, TypeAlias
from uuid import uuid4

import pytest
import redis

from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.errors import CheckpointMoved
from infrastructure.readmodels.groups import members_in
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.rows import codec_of
from infrastructure.readmodels.stream_fold import Part
from infrastructure.subscriptions.frames import Batch
from projections.projection import Projection, RowT
from projections.sums import Place
from tests.support.log import Log
from tests.support.projection_spec import Members, Outcome, grouped, sums_in
from tests.support.split_log import WHOLE, Fate, Split

Stored: TypeAlias = Mapping[str, Any]
"""Fields of hashes and members of sorted sets, with their scores, by the ends of their keys."""
_STORE: Final = "store-1"
_ROWS_HELD: Final = 2  # so that others are read back


class FoldedRedis:
    """The server of a test run; each log is folded into a namespace of its own there."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Final = connection

    def fold(self, projection: Projection[RowT], log: Log, split: Split = WHOLE) -> Outcome[RowT]:
        """What is stored after the last commit."""
        first = PartitionKeys(f"spec-{uuid4().hex}", projection.name, 1, 0, projection.version)
        parts = [replace(first, partition=number) for number in range(split.partitions)]
        for keys, batches in zip(parts, split.parts(projection.category, log), strict=True):
            self._commit(projection, keys, batches)
        pattern = f"\\{{{first.namespace}:*"
        names = [key.decode() for key in self._redis.scan_iter(match=pattern, count=10_000)]
        return _put_together(projection, [self._stored(keys, names) for keys in parts])

    def _commit(self, projection: Projection[RowT], keys: PartitionKeys, batches: Iterable[tuple[Batch, Fate]]) -> None:
        """A worker begins anew where a rival's commit came before its own, and where it heard nothing of its own."""
        worker = self._started(projection, keys)
        for batch, fate in batches:
            if fate == "lost":
                with closing(self._started(projection, keys)) as rival:
                    rival.apply(batch)
                with pytest.raises(CheckpointMoved):
                    worker.apply(batch)
            else:
                worker.apply(batch)
            if fate != "committed":
                worker.load()
                worker.apply(batch)
        worker.close()

    def _started(self, projection: Projection[RowT], keys: PartitionKeys) -> Partition[RowT]:
        partition = Partition(self._redis, projection, keys, _STORE, _ROWS_HELD, _no_stream)
        partition.load()
        return partition

    def _stored(self, keys: PartitionKeys, names: Sequence[str]) -> Stored:
        own = [name for name in names if name.startswith(keys.prefix) and name != keys.checkpoint]
        return {name.removeprefix(keys.prefix): self._members(name) for name in own}

    def _members(self, key: str) -> Any:
        if self._redis.type(key) == b"hash":
            return self._redis.hgetall(key)
        return self._redis.zrange(key, 0, -1, withscores=True)


def _no_stream(aggregate_id: str, until: int, part: Part) -> NoReturn:
    raise AssertionError(f"the stream of {aggregate_id} is asked for up to {until}")


def _put_together(projection: Projection[RowT], parts: Iterable[Stored]) -> Outcome[RowT]:
    """The rows and entries of all partitions, and the totals of their sums."""
    rows: dict[str, RowT] = {}
    entries: dict[tuple[str, str], int] = {}
    sums: Counter[Place] = Counter()
    for stored in parts:
        own = _rows(projection, stored)
        indexes = {name: _scores(members) for name, members in _below("index:", stored).items()}
        groups = {name: members_in(stored[name]) for name in stored if name.startswith(("sum:", "ranked:"))}
        _assert_counted(stored, own, indexes, groups)
        rows.update(own)
        entries.update(_by_place(indexes))
        sums.update(_by_place(groups))
    return Outcome(rows, grouped(entries), sums_in(sums))


def _rows(projection: Projection[RowT], stored: Stored) -> dict[str, RowT]:
    decoded = {each: codec_of(projection.row).decode(fields) for each, fields in _below("row:", stored).items()}
    return {each: row for each, row in decoded.items() if row is not None}


def _scores(members: Any) -> dict[str, int]:
    return {member.decode(): int(score) for member, score in members}


def _below(beginning: str, stored: Stored) -> Stored:
    return {name.removeprefix(beginning): members for name, members in stored.items() if name.startswith(beginning)}


def _by_place(groups: Members) -> dict[Place, int]:
    return {(name, member): number for name, members in groups.items() for member, number in members.items()}


def _assert_counted(stored: Stored, rows: Mapping[str, Any], indexes: Members, groups: Members) -> None:
    """Each row is listed, and the members of each index and group are as many as are noted: else some count as lost."""
    assert _scores(stored.get("ids", ())) == dict.fromkeys(rows, 0)
    for inventory, kept in (("sizes", indexes), ("groups", groups)):
        noted = {name.decode(): int(size) for name, size in stored.get(inventory, {}).items() if name}
        assert noted == {name: len(members) for name, members in kept.items()}
