"""Audits one partition: all of its streams with what is summed and listed of them, or some streams at random."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final, Generic

import redis

from domain.stream_name import HEX_DIGITS, row_key_of, stream_of_row
from infrastructure.audits.audit_progress import load_progress
from infrastructure.audits.audited_folds import AuditedFolds
from infrastructure.audits.findings import Findings
from infrastructure.audits.index_audit import IndexAudit
from infrastructure.audits.stream_audit import RIGHT, StreamAudit
from infrastructure.audits.sum_audit import SumAudit
from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.inventory import listed_after
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.same_log import require_same_log
from projections.projection import Add, Projection, RowT

NO_STREAM: Final = "there is no such stream"
_AT_ONCE: Final = 100
_PLACES: Final = 16  # of the log, at which a sample takes streams


class PartitionAudit(Generic[RowT]):
    """Its memory does not grow with the partition: streams are taken from Redis and the log some at a time.

    A stream is in the log where its first event is; a stream without it can't be folded, and is met in Redis alone.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        store: str,
        folds: AuditedFolds[RowT],
        reader: LogReader,
    ) -> None:
        fence = Fence(connection, keys, store)
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = keys
        self._fence: Final = fence
        self._reader: Final = reader
        self._pattern: Final = partition_pattern(projection.category, keys.partition, keys.partitions or 1)
        self._streams: Final = StreamAudit(connection, projection, keys, fence, folds, reader)
        self._indexes: Final = IndexAudit(connection, projection, keys, fence, self._streams, reader)
        self._sums: Final = SumAudit(connection, projection, keys, fence, self._streams)

    def run(self, findings: Findings, sample: int | None, looked: Callable[[int], object]) -> None:
        """Looks at about so many streams, None: at everything; tells `looked` how many it has looked at.

        Raises ReadModelError, StoreUnavailable, RedisError.
        """
        self._streams.load()
        require_same_log(self._reader, self._projection.name, self._pattern, self._fence.checkpoint)
        if sample is None:
            self._sums.begin()
        streams = self._all() if sample is None else self._sampled(sample)
        new = (each for each in streams if each and findings.is_first_look(self._keys.partition, each))
        while several := list(islice(new, _AT_ONCE)):
            self._look(several, findings)
            looked(len(several))
        if sample is None:
            self._indexes.extra_entries(findings)
            self._indexes.counts(findings)
            self._sums.found(findings)

    def repair(self, findings: Findings) -> None:
        """Mends what was found of it, as it is by now."""
        number = self._keys.partition
        self._sums.mend(findings)
        for finding in findings.of_indexes(number, "key"):
            findings.mended_alone(finding, self._indexes.unlink(finding))
        for stream in findings.of_streams(number):
            findings.mended(number, stream, self._streams.mend(row_key_of(stream)))
        for finding in findings.of_indexes(number, "entry"):
            findings.mended_alone(finding, self._indexes.remove(finding))
        for finding in findings.of_indexes(number, "size"):
            findings.mended_alone(finding, self._indexes.put_size_right(finding))
        for finding in findings.of_indexes(number, "count"):
            findings.mended_alone(finding, self._indexes.put_count_right(finding))

    def mend(self, row_key: str) -> str:
        """Looks at one stream alone, and mends what differs: `repaired`, `is right`, or why neither can be said."""
        if row_key[-1:] not in HEX_DIGITS:
            return NO_STREAM
        self._streams.load()
        require_same_log(self._reader, self._projection.name, self._pattern, self._fence.checkpoint)
        outcome = self._streams.mend(row_key)
        if outcome != RIGHT:
            return outcome
        stream = stream_of_row(self._projection.category, row_key)
        try:
            return "is right" if self._reader.page(stream, 0, 1) is not None else NO_STREAM
        except StreamGone:
            return "is right"

    def close(self) -> None:
        """Ends the connection that repairs."""
        self._fence.close()

    def _look(self, row_keys: Sequence[str], findings: Findings) -> None:
        for look in self._streams.look(row_keys):
            findings.add(self._streams.found(look))
            self._sums.add(look)
            changes = look.refolded.changes.values()
            findings.account(change.entry for change in changes if isinstance(change, Add))

    def _all(self) -> Iterator[str]:
        until = self._streams.position
        last: str | None = None
        while ids := listed_after(self._redis, self._keys, last, _AT_ONCE):
            yield from ids
            last = ids[-1]
        prefix = self._keys.row("")
        for key in self._redis.scan_iter(match=self._keys.rows_pattern, count=1_000):
            yield key.decode(errors="replace").removeprefix(prefix)
        for record in self._reader.records(self._pattern):
            if (record.position or 0) > until:
                return
            if record.version == 0:
                yield row_key_of(record.stream)

    def _sampled(self, number: int) -> Iterator[str]:
        """Those that the background audit has found to differ; then half of the number from the ids, the others from
        the log: those after the beginnings of some of the first."""
        yield from load_progress(self._redis, self._keys).differing
        half = max(1, number // 2)
        found: Any = self._redis.zrandmember(self._keys.ids, half)
        listed = [each.decode(errors="replace") for each in found]
        yield from listed
        places: list[int | None] = [None, *self._beginnings(listed[: _PLACES - 1])]
        for place in places:
            records = self._reader.records(self._pattern, first=place, limit=max(1, half // len(places)))
            yield from (row_key_of(record.stream) for record in records)

    def _beginnings(self, row_keys: Iterable[str]) -> Iterator[int]:
        for row_key in filter(None, row_keys):
            stream = stream_of_row(self._projection.category, row_key)
            with suppress(StreamGone):
                yield from (record.position or 0 for record in self._reader.page(stream, 0, 1) or ())
