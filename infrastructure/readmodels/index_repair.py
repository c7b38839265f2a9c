"""Mends indexes that have lost entries: a walk through the rows of a partition enters them again, under the fence."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Generic

import redis

from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.inventory import listed_after, set_sizes, sizes_of
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.row_effects import index_changes
from infrastructure.readmodels.row_repair import RowRepair, log_mended
from infrastructure.readmodels.stored_streams import StoredStreams
from projections.projection import Add, Entry, Projection, RowEntries, RowT

_ROWS_AT_ONCE: Final = 100
_ENTRIES_AT_ONCE: Final = 1_000


class IndexRepair(Generic[RowT]):
    """One walk at a time, for all indexes that were found wanting before it began.

    An index lacks its size less the entries that are there. Folding changes both alike, whatever it adds or removes;
    what the walk enters is not counted, and so is lacked no more. At the end of the walk all entries are there, unless
    the index lacks more than is expected by then: it was lost again. Where rows tell all entries, what it is still said
    to lack has been removed or added once more since it was lost, and its size is put right; as it is where somebody
    has added entries, which an audit of all streams names. Where an index also keeps what rows no longer tell, entries
    may be lacking in truth, or too many, and the generation is unusable.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        fence: Fence,
        rows: RowRepair[RowT],
        streams: StoredStreams[RowT],
    ) -> None:
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = keys
        self._fence: Final = fence
        self._rows: Final = rows
        self._streams: Final = streams
        self._lacking: Final[dict[str, int]] = {}
        self._last: str | None = None  # the row that the walk has come to

    def forget(self) -> None:
        """Ends the walk."""
        self._lacking.clear()
        self._last = None

    @property
    def walks(self) -> bool:
        """Whether a walk has begun and not ended."""
        return bool(self._lacking)

    def begin(self, lacking: Mapping[str, int]) -> None:
        """Begins a walk for these indexes.

        Raises CheckpointUnusable where one has too many entries, unless rows tell all that it may have.
        """
        excess = [name for name, entries in lacking.items() if entries < 0]
        if excess and not isinstance(self._projection.index, RowEntries):
            raise CheckpointUnusable(self._keys.projection, f"the index {excess[0]} has entries that nobody counted")
        self._lacking.update(lacking)

    def go_on(self, end: float) -> None:
        """Walks on until that time of the monotonic clock, a step in any case.

        Raises CheckpointMoved, CheckpointUnusable, and what folding raises.
        """
        while self._lacking:
            self._step()
            if time.monotonic() >= end:
                break

    def _step(self) -> None:
        ids = listed_after(self._redis, self._keys, self._last, _ROWS_AT_ONCE)
        rows = self._rows.present(ids)
        self._enter([entry for each in rows.items() for entry in self._entries(*each)])
        self._last = ids[-1] if ids else None
        if len(ids) < _ROWS_AT_ONCE:
            self._finish()

    def _entries(self, row_key: str, row: RowT) -> Iterable[Entry]:
        """The entries of a row's stream in the indexes that are walked for."""
        if isinstance(self._projection.index, RowEntries):
            found = (change.entry for change in index_changes(self._projection, row_key, None, row))
        elif self._lacking.keys().isdisjoint(self._indexes_of(row_key, row)):
            return ()
        else:
            changes = self._streams.refolded(row_key).changes.values()
            found = (change.entry for change in changes if isinstance(change, Add))
        return (entry for entry in found if entry.index in self._lacking)

    def _indexes_of(self, row_key: str, row: RowT) -> Iterable[str]:
        return (change.entry.index for change in index_changes(self._projection, row_key, None, row))

    def _enter(self, entries: Sequence[Entry]) -> None:
        for first in range(0, len(entries), _ENTRIES_AT_ONCE):
            members: defaultdict[str, dict[str, int]] = defaultdict(dict)
            for entry in entries[first : first + _ENTRIES_AT_ONCE]:
                members[entry.index][entry.member] = entry.score
            self._add(members)

    def _add(self, members: Mapping[str, Mapping[str, int]]) -> None:
        def write(transaction: Transaction) -> None:
            for name, scores in members.items():
                parts = (part for member, score in scores.items() for part in (score, member))
                transaction.add("ZADD", self._keys.index(name), *parts)

        added = self._fence.move(self._fence.checkpoint.repaired(sum(map(len, members.values()))), write)
        for name, entries in zip(members, added, strict=True):
            self._lacking[name] -= entries

    def _finish(self) -> None:
        sizes = sizes_of(self._keys, self._fence, list(self._lacking))
        whole = {name: there for name, (size, there) in sizes.items() if size - there == self._lacking[name]}
        self._put_right({name: there for name, there in whole.items() if self._lacking[name]})
        if whole:
            log_mended(self._keys, "indexes", len(whole))
        self.forget()

    def _put_right(self, sizes: Mapping[str, int]) -> None:
        if not sizes:
            return
        if not isinstance(self._projection.index, RowEntries):
            reason = f"entries of the index {next(iter(sizes))} are lost that no stream makes again"
            raise CheckpointUnusable(self._keys.projection, reason)

        repaired = self._fence.checkpoint.repaired(len(sizes))
        self._fence.move(repaired, lambda transaction: set_sizes(transaction, self._keys, sizes))
