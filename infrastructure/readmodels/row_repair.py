"""Mends rows that Redis has lost: each is folded anew from its stream, and stored under the fence."""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Generic

import structlog

from infrastructure.readmodels.errors import CheckpointUnusable
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.held_rows import HeldRows
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.stored_streams import StoredStreams
from projections.projection import RowT

_AT_ONCE: Final = 100
_AT_LEAST: Final = 16
_logger = structlog.get_logger()


class RowRepair(Generic[RowT]):
    """Of one partition. A row that the worker still holds is stored as it is; any other is folded from its stream."""

    def __init__(self, keys: PartitionKeys, fence: Fence, rows: HeldRows[RowT], streams: StoredStreams[RowT]) -> None:
        self._keys: Final = keys
        self._fence: Final = fence
        self._rows: Final = rows
        self._streams: Final = streams
        self._waiting: Final[deque[str]] = deque()

    def forget(self) -> None:
        """Nothing waits to be mended any more."""
        self._waiting.clear()

    @property
    def waits(self) -> bool:
        """Whether rows wait to be mended."""
        return bool(self._waiting)

    def expect(self, lost: Iterable[str]) -> None:
        """These rows are to be mended in the rounds to come."""
        self._waiting.extend(lost)

    def go_on(self, end: float) -> None:
        """Mends rows that wait, until that time of the monotonic clock, some in any case.

        They are an eighth of all or 16 at most; those that are lost no more are left out. Where Redis evicts what was
        not used for longest, the rows that it evicts for the mended ones are then older than what the worker looks at
        in every round, as the ids.
        """
        mended, most = 0, max(_AT_LEAST, (self._fence.checkpoint.rows or 0) // 8)
        while self._waiting and mended < most:
            number = min(_AT_ONCE, most - mended, len(self._waiting))
            several = [self._waiting.popleft() for _ in range(number)]
            mended += len(self._store(self._rows.read(several).lost))
            if time.monotonic() >= end:
                break
        self._log(mended)

    def mend(self, lost: Sequence[str]) -> dict[str, RowT]:
        """These rows, stored again. Raises CheckpointMoved, CheckpointUnusable, and what folding raises."""
        mended: dict[str, RowT] = {}
        for first in range(0, len(lost), _AT_ONCE):
            mended |= self._store(lost[first : first + _AT_ONCE])
        self._log(len(mended))
        return mended

    def present(self, row_keys: Sequence[str]) -> dict[str, RowT]:
        """Those of these rows that there are, the lost ones mended."""
        found = self._rows.read(row_keys)
        rows = {row_key: row for row_key, row in found.rows.items() if row is not None}
        return rows | self.mend(found.lost)

    def _store(self, lost: Sequence[str]) -> dict[str, RowT]:
        rows = {row_key: self._row(row_key) for row_key in lost}
        if rows:
            self._fence.move(
                self._fence.checkpoint.repaired(len(rows)), lambda transaction: self._rows.write(transaction, rows)
            )
        return rows

    def _row(self, row_key: str) -> RowT:
        row = self._rows.held.get(row_key)
        row = row or self._streams.refolded(row_key).row
        if row is None:
            reason = f"the row {row_key} is lost, and its stream makes none"
            raise CheckpointUnusable(self._keys.projection, reason)
        return row

    def _log(self, rows: int) -> None:
        if rows:
            log_mended(self._keys, "rows", rows)


def log_mended(keys: PartitionKeys, what: str, number: int) -> None:
    """Says how many rows, or entries of indexes, were lost and are there again."""
    place = {"projection": keys.projection, "generation": keys.generation, "partition": keys.partition}
    _logger.warning("read_model_mended", what=what, number=number, **place)
