"""The rows of a partition: in Redis, the recent ones also in memory."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from redis.client import Pipeline

from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.rows import codec_of
from projections.projection import RowT

_MOST_EVICTED: Final = 250_000
"""Rows that one partition remembers to exist without holding them: some 16 MB. A replay of more looks into Redis for
each row that begins."""


@dataclass(frozen=True, slots=True)
class Found(Generic[RowT]):
    """What Redis has: `rows` by id, None where there is none; fields of them that are unknown; listed rows it lost."""

    rows: Mapping[str, RowT | None]
    unknown_fields: Mapping[str, frozenset[bytes]]
    lost: Sequence[str]


class HeldRows(Generic[RowT]):
    """Those in memory are right as long as nobody else writes, which the fence checks.

    What is read is held only where it was read at the checkpoint that the fence knows: after a failover of a cluster,
    two servers may take themselves for the one that has the rows.
    """

    def __init__(self, row: type[RowT], keys: PartitionKeys, fence: Fence, at_most: int) -> None:
        self._codec: Final = codec_of(row)
        self._keys: Final = keys
        self._fence: Final = fence
        self._at_most: Final = at_most
        self._held: Final[OrderedDict[str, RowT | None]] = OrderedDict()
        self._unknown_fields: Final[dict[str, frozenset[bytes]]] = {}
        self._knows_all = False  # whether every row that exists is held or among the evicted
        self._evicted: Final[set[int]] = set()  # hashes of ids: two of one hash cost a look into Redis, no more

    @property
    def held(self) -> Mapping[str, RowT | None]:
        """Those in memory."""
        return self._held

    def forget(self, *, none_exist: bool) -> None:
        """Holds none any more; whether it is known that there are none."""
        self._held.clear()
        self._unknown_fields.clear()
        self._evicted.clear()
        self._knows_all = none_exist

    def holds(self, row_keys: Iterable[str]) -> bool:
        """Whether nothing has to be read for these."""
        return all(each in self._held or self._is_known_absent(each) for each in row_keys)

    def _is_known_absent(self, row_key: str) -> bool:
        """Of one that is not held."""
        return self._knows_all and hash(row_key) not in self._evicted

    def fetch(self, row_keys: Iterable[str], there: int | None) -> Sequence[str]:
        """Holds these; the ids of those that Redis has lost. `there` is how many rows are stored, None: not known."""
        absent: list[str] = []
        for row_key in row_keys:
            if row_key in self._held:
                self._held.move_to_end(row_key)
            elif self._is_known_absent(row_key):
                self._held[row_key] = None
            else:
                absent.append(row_key)
        if absent and there is not None and not self._knows_all:
            absent = self._listed(absent, there)
        if not absent:
            return ()
        found = self.read(absent)
        self._held.update(found.rows)
        self._unknown_fields.update(found.unknown_fields)
        return found.lost

    def _listed(self, absent: list[str], there: int) -> list[str]:
        """Those of these that Redis may have a row of; the others are held as none. Most are new: one question for all.

        All rows are listed. The list proves something only where it is as long as it has to be.
        """

        def put(pipeline: Pipeline) -> None:
            pipeline.zcard(self._keys.ids)
            pipeline.zmscore(self._keys.ids, absent)

        listed, scores = self._fence.read(put)
        if listed != there:
            return absent
        self._held.update((each, None) for each, score in zip(absent, scores, strict=True) if score is None)
        return [each for each, score in zip(absent, scores, strict=True) if score is not None]

    def read(self, row_keys: Sequence[str]) -> Found[RowT]:
        """What Redis has of these now, without holding it. Raises UnreadableRow, CheckpointMoved."""

        def put(pipeline: Pipeline) -> None:
            for row_key in row_keys:
                pipeline.hgetall(self._keys.row(row_key))
                pipeline.zscore(self._keys.ids, row_key)

        replies = self._fence.read(put)
        rows: dict[str, RowT | None] = {}
        unknown: dict[str, frozenset[bytes]] = {}
        lost = []
        for row_key, fields, listed in zip(row_keys, replies[::2], replies[1::2], strict=True):
            if listed is not None and self._codec.is_incomplete(fields):
                lost.append(row_key)
                continue
            rows[row_key] = self._codec.decode(fields)
            if names := self._codec.unknown_fields(fields):
                unknown[row_key] = names
        return Found(rows, unknown, lost)

    def write(self, transaction: Transaction, rows: Mapping[str, RowT]) -> None:
        """Puts what stores these rows whole into a transaction."""
        for row_key, row in rows.items():
            key = self._keys.row(row_key)
            if unknown := self._unknown_fields.get(row_key):
                transaction.add("HDEL", key, *unknown)
            transaction.add("HSET", key, *self._codec.encode(row))

    def write_changes(self, transaction: Transaction, rows: Mapping[str, RowT | None]) -> Mapping[int, str]:
        """Puts what makes the stored rows these into a transaction: of rows that are held, the members that differ.

        For each reply that has to be 0, its place among those of the transaction, and the row: Redis has lost that row
        where the reply says that a member was new, and `write` has to follow.
        """
        in_part, held = {}, self._held
        for row_key, row in rows.items():
            before = held.get(row_key)
            if row is None:
                transaction.add("DEL", self._keys.row(row_key))
            elif before is None or row_key in self._unknown_fields:
                self.write(transaction, {row_key: row})
            elif members := self._codec.encode_changed(before, row):
                in_part[len(transaction)] = row_key
                transaction.add("HSET", self._keys.row(row_key), *members)
        return in_part

    def hold(self, rows: Mapping[str, RowT | None]) -> None:
        """Holds rows as they were stored."""
        self._held.update(rows)
        if self._unknown_fields:
            for row_key in rows:
                self._unknown_fields.pop(row_key, None)

    def trim(self) -> None:
        """Lets go the least recently used beyond the bound."""
        while len(self._held) > self._at_most:
            evicted, row = self._held.popitem(last=False)
            self._unknown_fields.pop(evicted, None)
            if row is not None and self._knows_all:
                self._evicted.add(hash(evicted))
        if len(self._evicted) > _MOST_EVICTED:
            self._evicted.clear()
            self._knows_all = False
