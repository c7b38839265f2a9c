"""Mends sums that are lost: a walk through the rows of a partition adds them up again, and puts them in their place."""

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Final, Generic

import redis

from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.groups import GroupComparison, begin_groups, put_groups
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.inventory import listed_after
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.row_effects import add_change
from infrastructure.readmodels.row_repair import RowRepair, log_mended
from projections.projection import Projection, RowT
from projections.sums import Place, not_summed

_ROWS_AT_ONCE: Final = 100


class SumRepair(Generic[RowT]):
    """One walk at a time, for all groups that were found wanting before it began.

    Between two steps of the walk rows are folded: what changes of those that it has passed is followed. So at its end
    it has the sums of all present rows, and they replace what is stored in one transaction. It holds as much in memory.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        fence: Fence,
        rows: RowRepair[RowT],
    ) -> None:
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = keys
        self._fence: Final = fence
        self._rows: Final = rows
        self._comparison: Final = GroupComparison(connection, keys, fence)
        self._lost: frozenset[str] | None = frozenset()  # None: all
        self._found: Final[dict[Place, int]] = {}
        self._last: str | None = None  # the row that the walk has come to

    def forget(self) -> None:
        """Ends the walk."""
        self._lost, self._last = frozenset(), None
        self._found.clear()

    @property
    def walks(self) -> bool:
        """Whether a walk has begun and not ended."""
        return self._lost is None or bool(self._lost)

    def compare(self) -> None:
        """Looks at a part of the sums where it does not walk, and begins a walk where some are lost."""
        if self._projection.sums is not not_summed and not self.walks:
            lost = self._comparison.lost()
            self._lost = None if lost is None else frozenset(lost)

    def follow(self, before: Mapping[str, RowT | None], after: Mapping[str, RowT | None]) -> None:
        """Adds what the change of these rows changes, as far as the walk has passed them."""
        if not self.walks or self._last is None:
            return
        for row_key, row in after.items():
            if row_key <= self._last:  # as Redis compares: code points are in the order of their bytes in UTF-8
                add_change(self._projection, row_key, (before.get(row_key), row), self._found)

    def go_on(self, end: float) -> None:
        """Walks on until that time of the monotonic clock, a step in any case.

        Raises CheckpointMoved, CheckpointUnusable, and what folding raises.
        """
        while self.walks:
            self._step()
            if time.monotonic() >= end:
                break

    def _step(self) -> None:
        ids = listed_after(self._redis, self._keys, self._last, _ROWS_AT_ONCE)
        for row_key, row in self._rows.present(ids).items():
            add_change(self._projection, row_key, (None, row), self._found)
        if len(ids) < _ROWS_AT_ONCE:
            self._finish()
        else:
            self._last = ids[-1]

    def _finish(self) -> None:
        groups = self._groups()
        self._fence.move(
            self._fence.checkpoint.repaired(max(1, len(groups))), lambda transaction: self._put(transaction, groups)
        )
        log_mended(self._keys, "sums", len(groups))
        self.forget()

    def _put(self, transaction: Transaction, groups: Mapping[str, Mapping[str, int]]) -> None:
        if self._lost is None:
            transaction.add("DEL", self._keys.groups)
            begin_groups(transaction, self._keys)
        put_groups(transaction, self._keys, groups)

    def _groups(self) -> Mapping[str, Mapping[str, int]]:
        groups = defaultdict[str, dict[str, int]](dict, {name: {} for name in self._lost or ()})
        for (group, member), by in self._found.items():
            if self._lost is None or group in self._lost:
                groups[group][member] = by
        return groups
