"""Finds index entries that no stream accounts for, and counts that do not fit, and mends them under the fence."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, Generic

import redis

from domain.stream_name import row_key_of
from infrastructure.audits.findings import Finding, Findings
from infrastructure.audits.stream_audit import UNSTEADY, StreamAudit
from infrastructure.audits.stream_look import other_type
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.inventory import KEPT, set_sizes, sizes_of
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.texts import text_of
from projections.projection import Add, Projection, RowT

_SCANNED_AT_ONCE: Final = 1_000


class IndexAudit(Generic[RowT]):
    """Of one partition, after its streams: an entry that none of them accounts for may be of a stream that began since.

    The score of an entry is the position of an event in the log, whose stream has to account for the entry.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        fence: Fence,
        streams: StreamAudit[RowT],
        reader: LogReader,
    ) -> None:
        self._redis: Final = connection
        self._keys: Final = keys
        self._fence: Final = fence
        self._streams: Final = streams
        self._reader: Final = reader
        self._projection: Final = projection
        self._pattern: Final = partition_pattern(projection.category, keys.partition, keys.partitions or 1)

    def extra_entries(self, findings: Findings) -> None:
        """Finds entries that no stream accounts for, in all indexes there are, and keys that hold no index."""
        for name in self._stored_names():
            if (found := self._other_type(name)) is not None:
                findings.add([other_type(self._keys, self._streams.position, name, found)])
                continue
            for member, score in self._entries(name):
                if not findings.accounts_for(name, member) and self._is_extra(name, member):
                    told = Finding(self._keys.partition, self._streams.position, "extra", "entry", "", name, member)
                    findings.add([told._replace(stored=f"{score:.17g}")])

    def counts(self, findings: Findings) -> None:
        """Finds sizes of indexes and a number of rows that do not fit what is there. Entries and ids come first."""
        self._streams.load()
        if self._fence.checkpoint.rows is None:
            return
        for name in self._all_names():
            if (found := self._size(name, findings)) is not None:
                findings.add([found])
        if (found := self._count(findings)) is not None:
            findings.add([found])

    def unlink(self, finding: Finding) -> str:
        """Removes what stands in place of an index: the entries of streams are entered then."""
        name = finding.name
        return self._guarded(
            lambda: self._other_type(name) is not None,
            lambda transaction: transaction.add("DEL", self._keys.index(name)),
        )

    def remove(self, finding: Finding) -> str:
        """Removes an extra entry, behind the fence; what came of it."""

        def write(transaction: Transaction) -> None:
            transaction.add("ZREM", self._keys.index(finding.name), finding.member)

        return self._guarded(lambda: self._is_extra(finding.name, finding.member), write)

    def put_size_right(self, finding: Finding) -> str:
        """Sets the size of an index to the number of its entries."""
        name, there = finding.name, 0

        def differs() -> bool:
            nonlocal there
            [(size, there)] = sizes_of(self._keys, self._fence, [name]).values()
            there = 1 if name == KEPT else there
            return size != there

        return self._guarded(differs, lambda transaction: set_sizes(transaction, self._keys, {name: there}))

    def put_count_right(self, finding: Finding) -> str:
        """Sets the number of rows to that of the listed ones."""
        listed = 0

        def differs() -> bool:
            nonlocal listed
            listed = self._listed()
            return listed != self._fence.checkpoint.rows

        return self._guarded(differs, lambda _: None, lambda: listed)

    def _guarded(
        self, differs: Callable[[], bool], write: Callable[[Transaction], None], rows: Callable[[], int] | None = None
    ) -> str:
        def mend() -> str:
            if not differs():
                return "is right by now"
            moved = self._fence.checkpoint.repaired(1)
            self._fence.move(moved if rows is None else replace(moved, rows=rows()), write)
            return "repaired"

        return self._streams.steadily(mend, otherwise=UNSTEADY)

    def _is_extra(self, name: str, member: str) -> bool:
        """Whether the entry is there and no stream accounts for it, at one position."""

        def is_extra() -> bool:
            [score] = self._fence.read(lambda pipeline: pipeline.zscore(self._keys.index(name), member))
            return score is not None and not self._is_accounted_for(name, member, score)

        return self._streams.steadily(is_extra)

    def _is_accounted_for(self, name: str, member: str, score: float) -> bool:
        """By the stream of the event at that position; also where that stream can't be folded, which is told of it."""
        if not (score.is_integer() and 0 <= score <= self._streams.position and self._reader.holds(int(score))):
            return False
        record = next(self._reader.records(self._pattern, first=int(score), limit=1), None)
        if record is None or record.position != int(score):
            return False
        refolded, unverified = self._streams.refold(row_key_of(record.stream))
        return unverified is not None or isinstance(refolded.changes.get((name, member)), Add)

    def _size(self, name: str, findings: Findings) -> Finding | None:
        if self._other_type(name) is not None:
            return None
        size, there = self._sizes(name)
        right = 1 if name == KEPT else there + findings.lacking(self._keys.partition, "entry", name)
        fits = size == right or (name != KEPT and size == there)
        return None if fits else self._of_counts("size", name, size, right)

    def _sizes(self, name: str) -> tuple[int, int]:
        return self._streams.steadily(lambda: sizes_of(self._keys, self._fence, [name])[name])

    def _count(self, findings: Findings) -> Finding | None:
        listed, stored = self._streams.steadily(lambda: (self._listed(), self._fence.checkpoint.rows or 0))
        right = listed + findings.lacking(self._keys.partition, "id")
        return None if stored in {listed, right} else self._of_counts("count", "", stored, right)

    def _of_counts(self, what: Any, name: str, stored: int, right: int) -> Finding:
        place = self._keys.partition, self._streams.position
        return Finding(*place, "different", what, "", name, "", str(stored), str(right))

    def _other_type(self, name: str) -> str | None:
        """That of what stands in place of an index; None for an index, and where nothing is."""
        found = text_of(self._redis.type(self._keys.index(name)))
        return None if found in {"zset", "none"} else found

    def _listed(self) -> int:
        """How many rows are listed. Raises CheckpointMoved."""
        [listed] = self._fence.read(lambda pipeline: pipeline.zcard(self._keys.ids))
        return int(listed)

    def _all_names(self) -> Iterator[str]:
        yield KEPT
        yield from self._stored_names()
        for name, _ in self._redis.hscan_iter(self._keys.sizes, count=_SCANNED_AT_ONCE):
            yield name.decode(errors="replace")

    def _stored_names(self) -> Iterator[str]:
        prefix = self._keys.index("")
        for key in self._redis.scan_iter(match=self._keys.indexes_pattern, count=_SCANNED_AT_ONCE):
            yield key.decode(errors="replace").removeprefix(prefix)

    def _entries(self, name: str) -> Iterator[tuple[str, float]]:
        for member, score in self._redis.zscan_iter(self._keys.index(name), count=_SCANNED_AT_ONCE):
            yield member.decode(errors="replace"), score
