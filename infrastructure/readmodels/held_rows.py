"""The rows of a partition: in Redis, the recent ones also in memory."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic

import redis
from redis.client import Pipeline

from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.rows import decode, encode, unknown_fields
from projections.projection import RowT


@dataclass(frozen=True, slots=True)
class Found(Generic[RowT]):
    """What Redis has: `rows` by id, None where there is none; fields of them that are unknown; listed rows it lost."""

    rows: Mapping[str, RowT | None]
    unknown_fields: Mapping[str, frozenset[bytes]]
    lost: Sequence[str]


class HeldRows(Generic[RowT]):
    """Those in memory are right as long as nobody else writes, which the fence checks."""

    def __init__(self, connection: redis.Redis, row: type[RowT], keys: PartitionKeys, at_most: int) -> None:
        self._redis: Final = connection
        self._row: Final = row
        self._keys: Final = keys
        self._at_most: Final = at_most
        self._held: Final[OrderedDict[str, RowT | None]] = OrderedDict()
        self._unknown_fields: Final[dict[str, frozenset[bytes]]] = {}
        self._holds_all = False  # whether a row that is not held is known not to exist

    @property
    def held(self) -> Mapping[str, RowT | None]:
        """Those in memory."""
        return self._held

    def forget(self, *, none_exist: bool) -> None:
        """Holds none any more; whether it is known that there are none."""
        self._held.clear()
        self._unknown_fields.clear()
        self._holds_all = none_exist

    def fetch(self, aggregate_ids: Iterable[str]) -> Sequence[str]:
        """Holds these; the ids of those that Redis has lost."""
        absent = []
        for aggregate_id in aggregate_ids:
            if aggregate_id in self._held:
                self._held.move_to_end(aggregate_id)
            else:
                absent.append(aggregate_id)
        if self._holds_all:
            self._held.update(dict.fromkeys(absent))
            return ()
        found = self.read(absent)
        self._held.update(found.rows)
        self._unknown_fields.update(found.unknown_fields)
        return found.lost

    def read(self, aggregate_ids: Sequence[str]) -> Found[RowT]:
        """What Redis has of these now, without holding it. Raises UnreadableRow."""
        rows: dict[str, RowT | None] = {}
        unknown: dict[str, frozenset[bytes]] = {}
        lost = []
        with self._redis.pipeline(transaction=True) as pipeline:
            for aggregate_id in aggregate_ids:
                pipeline.hgetall(self._keys.row(aggregate_id))
                pipeline.zscore(self._keys.ids, aggregate_id)
            replies = pipeline.execute()
        for aggregate_id, fields, listed in zip(aggregate_ids, replies[::2], replies[1::2], strict=True):
            if not fields and listed is not None:
                lost.append(aggregate_id)
                continue
            rows[aggregate_id] = decode(self._row, fields)
            if names := unknown_fields(self._row, fields):
                unknown[aggregate_id] = names
        return Found(rows, unknown, lost)

    def write(self, pipeline: Pipeline, rows: Mapping[str, RowT | None]) -> None:
        """Puts what stores these rows, or removes those that are None, into a transaction."""
        for aggregate_id, row in rows.items():
            key = self._keys.row(aggregate_id)
            if row is None:
                pipeline.delete(key)
                continue
            if unknown := self._unknown_fields.get(aggregate_id):
                pipeline.hdel(key, *unknown)
            pipeline.hset(key, mapping=encode(row))

    def hold(self, rows: Mapping[str, RowT | None]) -> None:
        """Holds rows as they were stored."""
        for aggregate_id, row in rows.items():
            self._held[aggregate_id] = row
            self._unknown_fields.pop(aggregate_id, None)

    def trim(self) -> None:
        """Lets go the least recently used beyond the bound."""
        while len(self._held) > self._at_most:
            self._holds_all = False
            evicted, _ = self._held.popitem(last=False)
            self._unknown_fields.pop(evicted, None)
