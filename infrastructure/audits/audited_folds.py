"""Folds streams as they have to be stored at a checkpoint: without what is skipped there, up to before their block."""

from typing import Final, Generic

from domain.stream_name import stream_of_row
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.stream_fold import Part, Refolded, StreamFolds
from projections.projection import Projection, RowT


class AuditedFolds(Generic[RowT]):
    """Of one projection, for whoever is not its worker."""

    def __init__(self, projection: Projection[RowT], folds: StreamFolds[RowT], skips: SkipWatch) -> None:
        self._projection: Final = projection
        self._folds: Final = folds
        self._skips: Final = skips

    def fold(self, row_key: str, checkpoint: Checkpoint, block: Block | None) -> Refolded[RowT]:
        """What the stream comes to at the checkpoint, where it is blocked so or not.

        Raises as `StreamFolds.fold`, EventStoreError, and ReadModelUnavailable where skips are applied that the log
        does not hold. Where it can't be folded so far by this release, the result says so with a block.
        """
        absent = self._absent(stream_of_row(self._projection.category, row_key), checkpoint.skips)
        part = Part(absent, end=None if block is None else block.version)
        return self._folds.fold(row_key, -1 if checkpoint.position is None else checkpoint.position, part)

    def _absent(self, stream: str, applied: int) -> frozenset[int]:
        name = self._projection.name
        skips = self._skips.of(name)
        if skips.revision < applied:
            skips = self._skips.latest(name)
        if skips.revision < applied:
            reason = f"{applied} records of skips are applied, the log holds {skips.revision}"
            raise ReadModelUnavailable(name, reason)
        if not skips.changes or skips.changes[-1].number < applied:
            return skips.versions(stream)
        return skips.before(applied, {stream})[stream]
