"""Goes on with the background audit of a partition: a few streams at a time, round after round."""

from collections.abc import Sequence
from typing import Final, Generic

import redis
import structlog

from domain.stream_name import row_key_of, stream_of_row
from infrastructure.audits.audit_progress import AuditProgress
from infrastructure.audits.audited_folds import AuditedFolds
from infrastructure.audits.findings import UNCLEAR, Finding
from infrastructure.audits.stream_audit import StreamAudit
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.inventory import listed_after
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.status import now
from projections.projection import Projection, RowT

MOST_NAMED: Final = 100
"""Streams that differ are named, and looked at in each turn, up to so many; more are met again in the next round."""
_LOG_EVERY: Final = 10  # turns: streams are taken from the log, where those are met that Redis has lost altogether
_RECORDS: Final = 100  # of the log in a turn
_SAID: Final = 3
_LETTERS: Final = 200
_logger = structlog.get_logger()


class AuditRound(Generic[RowT]):
    """Looks by the code of an audit, and mends nothing."""

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        store: str,
        folds: AuditedFolds[RowT],
        reader: LogReader,
    ) -> None:
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = keys
        self._reader: Final = reader
        self._fence: Final = Fence(connection, keys, store)
        self._streams: Final = StreamAudit(connection, projection, keys, self._fence, folds, reader)
        self._pattern: Final = partition_pattern(projection.category, keys.partition, keys.partitions or 1)

    def go_on(self, progress: AuditProgress, at_most: int) -> AuditProgress:
        """Looks at those that differed, and at so many others at most.

        Raises ReadModelError, EventStoreError, RedisError.
        """
        self._streams.load()
        if progress.turns % _LOG_EVERY == _LOG_EVERY - 1:
            row_keys, went_on = self._from_log(progress, at_most)
        else:
            row_keys, went_on = self._listed(progress, at_most)
        looked_at = list(dict.fromkeys((*progress.differing, *row_keys)))
        differing = dict(progress.differing)
        for look in self._streams.look(looked_at):
            found = [each for each in self._streams.found(look) if each.kind != UNCLEAR]
            self._note(look.row_key, found, differing)
        streams = progress.streams + len(looked_at)
        return went_on.model_copy(update={"turns": progress.turns + 1, "streams": streams, "differing": differing})

    def close(self) -> None:
        """Ends the connection of its fence."""
        self._fence.close()

    def _listed(self, progress: AuditProgress, at_most: int) -> tuple[Sequence[str], AuditProgress]:
        ids = listed_after(self._redis, self._keys, progress.last, at_most)
        if len(ids) == at_most:
            return ids, progress.model_copy(update={"last": ids[-1]})
        return ids, progress.model_copy(update={"last": None, "since": progress.began, "began": now()})

    def _from_log(self, progress: AuditProgress, at_most: int) -> tuple[Sequence[str], AuditProgress]:
        """Those of the next streams that begin there. Beyond the anchor there is nothing that was folded."""
        logged, begun = progress.logged, list[str]()
        anchor = self._fence.checkpoint.anchor
        end = -1 if anchor is None or anchor.position is None else anchor.position
        records = self._reader.records(self._pattern, first=None if logged < 0 else logged, limit=_RECORDS)
        for record in records:
            position = record.position or 0
            if position > end or len(begun) == at_most:
                break
            if record.version == 0 and position > progress.logged:
                begun.append(row_key_of(record.stream))
            logged = position
        is_over = logged in {progress.logged, end}
        return begun, progress.model_copy(update={"logged": -1 if is_over else logged})

    def _note(self, row_key: str, found: Sequence[Finding], differing: dict[str, str]) -> None:
        """Tells what is new: that the stream differs, or does so no more."""
        stream, what = stream_of_row(self._projection.category, row_key), _said(found)
        told = {"projection": self._keys.projection, "generation": self._keys.generation, "stream": stream}
        if not found:
            if differing.pop(row_key, None) is not None:
                _logger.info("read_model_differs_no_more", **told)
        elif row_key in differing or len(differing) < MOST_NAMED:
            if differing.get(row_key) != what:
                _logger.warning("read_model_differs", found=what, position=found[0].position, **told)
            differing[row_key] = what


def _said(found: Sequence[Finding]) -> str:
    """Such as `different field total`, of the first few."""
    said = ", ".join(" ".join(filter(None, (each.kind, each.what, each.name))) for each in found[:_SAID])
    more = f" and {len(found) - _SAID} more" if len(found) > _SAID else ""
    return f"{said[:_LETTERS]}{more}"
