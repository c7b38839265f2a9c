"""Looks for what Redis has lost of a partition, and mends it, in rounds of bounded work."""

import time
from collections.abc import Mapping, Sequence
from typing import Final, Generic

import redis

from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.held_rows import HeldRows
from infrastructure.readmodels.index_repair import IndexRepair
from infrastructure.readmodels.inventory import Comparison
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.row_repair import RowRepair
from infrastructure.readmodels.stored_streams import StoredStreams
from infrastructure.readmodels.sum_repair import SumRepair
from projections.projection import Projection, RowT


class Repair(Generic[RowT]):
    """Compares round and round; goes on with the next part when what is lost of this one is mended."""

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        fence: Fence,
        rows: HeldRows[RowT],
        streams: StoredStreams[RowT],
    ) -> None:
        self._comparison: Final = Comparison(connection, keys, fence)
        self._rows: Final = RowRepair(keys, fence, rows, streams)
        self._indexes: Final = IndexRepair(connection, projection, keys, fence, self._rows, streams)
        self._sums: Final = SumRepair(connection, projection, keys, fence, self._rows)

    def forget(self) -> None:
        """Drops what was found: the rows may be another worker's by now."""
        self._rows.forget()
        self._indexes.forget()
        self._sums.forget()

    @property
    def waits(self) -> bool:
        """Whether something was found and is not mended yet."""
        return self._rows.waits or self._indexes.walks or self._sums.walks

    def mend(self, lost: Sequence[str]) -> dict[str, RowT]:
        """These rows, at once. Raises CheckpointMoved, CheckpointUnusable, and what folding raises."""
        return self._rows.mend(lost)

    def follow(self, before: Mapping[str, RowT | None], after: Mapping[str, RowT | None]) -> None:
        """These rows are being committed: what is being mended goes along."""
        self._sums.follow(before, after)

    def go_on(self, seconds: float) -> None:
        """One round, which mends for so long, and ends what it has begun. Raises as `mend` does."""
        now = time.monotonic()
        if not self._rows.waits:
            self._rows.expect(self._comparison.lost_rows())
        if not self._indexes.walks:
            self._indexes.begin(self._comparison.missing_entries())
        self._sums.compare()
        walks = self._indexes.walks + self._sums.walks
        self._rows.go_on(now + seconds / (1 + walks))
        self._indexes.go_on(now + (seconds if walks < 2 else seconds * 2 / 3))
        self._sums.go_on(now + seconds)
