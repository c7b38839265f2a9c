"""Compares the sums of a partition with what its streams contribute to them at one checkpoint, and mends them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, Generic

import redis
from redis.client import Pipeline

from infrastructure.audits.findings import UNCLEAR, Finding, Findings, Kind
from infrastructure.audits.stream_audit import ATTEMPTS, StreamAudit
from infrastructure.audits.stream_look import StreamLook
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.errors import CheckpointMoved, ReadModelUnavailable
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.groups import begin_groups, change_groups, is_of_type, members_in, put_members
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.inventory import KEPT
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.row_effects import add_change
from infrastructure.readmodels.rows import UnreadableRow, codec_of
from infrastructure.readmodels.texts import text_of
from projections.projection import Projection, RowT
from projections.sums import Place, not_summed

_SCANNED_AT_ONCE: Final = 1_000


class SumAudit(Generic[RowT]):
    """All sums are read in one transaction, with the checkpoint up to which every stream is then folded.

    What a sum differs by stays the same while rows are folded: so that is what a repair adds. It holds in memory what
    all sums of the partition take.
    """

    def __init__(
        self,
        connection: redis.Redis,
        projection: Projection[RowT],
        keys: PartitionKeys,
        fence: Fence,
        streams: StreamAudit[RowT],
    ) -> None:
        self._redis: Final = connection
        self._projection: Final = projection
        self._keys: Final = keys
        self._fence: Final = fence
        self._streams: Final = streams
        self._stored: Mapping[str, Mapping[str, int]] = {}
        self._sizes: Mapping[str, int] = {}
        self._blocks: Mapping[str, bytes] = {}
        self._checkpoint: Checkpoint | None = None
        self._folded: Final[Counter[Place]] = Counter()
        self._unclear: str | None = None
        self._foreign: Mapping[str, str] = {}

    def begin(self) -> None:
        """Reads the sums, where there are any. Raises ReadModelUnavailable where they can't be read."""
        self._checkpoint, self._unclear = None, None
        self._folded.clear()
        if self._projection.sums is not_summed:
            return
        stray = {self._name_of(key) for pattern in self._keys.groups_patterns for key in self._keys_like(pattern)}
        for _ in range(ATTEMPTS):
            self._streams.load()
            try:
                self._read(stray)
            except CheckpointMoved:
                continue
            except ValueError as error:
                raise ReadModelUnavailable(self._projection.name, f"its sums can't be read: {error}") from error
            self._checkpoint = self._fence.checkpoint
            return
        raise ReadModelUnavailable(self._projection.name, "its checkpoint moves all the time")

    def add(self, look: StreamLook[RowT]) -> None:
        """Adds what a stream contributes; of one that can't be folded, its row tells, where that was read there."""
        if self._checkpoint is None:
            return
        try:
            row = self._row(look, self._checkpoint)
            if row is not None:
                add_change(self._projection, look.row_key, (None, row), self._folded)
        except (LookupError, UnreadableRow, ValueError) as error:
            self._unclear = f"{look.row_key}: {error}"

    def found(self, findings: Findings) -> None:
        """Finds sums that differ, and sizes of groups. All streams come first."""
        if self._checkpoint is None:
            return
        position = _position(self._checkpoint)
        if self._unclear is not None:
            findings.add([Finding(self._keys.partition, position, "unverified", "sum", folded=self._unclear)])
        else:
            findings.add(self._differences(position))

    def mend(self, findings: Findings) -> None:
        """Adds what the sums differ by, all in one transaction; before anything else of the partition is mended."""
        changes = {(each.name, each.member): _difference(each) for each in self._of_sums(findings)}
        if changes:
            outcome = self._add(changes)
            for finding in self._of_sums(findings):
                findings.mended_alone(finding, outcome)

    def _add(self, changes: Mapping[Place, int]) -> str:
        for _ in range(ATTEMPTS):
            self._streams.load()
            if self._checkpoint is None or self._fence.checkpoint.repairs != self._checkpoint.repairs:
                return "something else was mended meanwhile: audit once more"
            try:
                self._fence.move(self._fence.checkpoint.repaired(len(changes)), lambda to: self._write(to, changes))
            except CheckpointMoved:
                continue
            return "repaired"
        return "the checkpoint moves all the time"

    def _write(self, transaction: Transaction, changes: Mapping[Place, int]) -> None:
        begin_groups(transaction, self._keys)
        for group in self._foreign:
            transaction.add("DEL", self._keys.group(group))
        of_groups = {place: by for place, by in changes.items() if place[0] != KEPT}
        change_groups(transaction, self._keys, of_groups, counted_anew=True)

    def _of_sums(self, findings: Findings) -> Iterator[Finding]:
        found = chain(*(findings.of_indexes(self._keys.partition, what) for what in ("sum", "group")))
        return (each for each in found if each.kind != UNCLEAR)

    def _differences(self, position: int) -> Iterator[Finding]:
        folded: dict[str, dict[str, int]] = {}
        for (group, member), by in self._folded.items():
            if by:
                folded.setdefault(group, {})[member] = by
        for group in sorted(folded.keys() | self._stored.keys()):
            for told in _unlike(self._stored.get(group, {}), folded.get(group, {})):
                yield Finding(self._keys.partition, position, told[0], "sum", "", group, *told[1:])
        for group, kind in self._foreign.items():
            yield Finding(self._keys.partition, position, "different", "group", "", group, "", f"a {kind}")
        sizes = {KEPT: 1} | {group: len(members) for group, members in folded.items()}
        for kind, group, *numbers in _unlike(self._sizes, sizes):
            yield Finding(self._keys.partition, position, kind, "group", "", group, "", *numbers)

    def _read(self, stray: set[str]) -> None:
        stored, blocks = self._fence.read(lambda to: (to.hgetall(self._keys.groups), to.hgetall(self._keys.blocked)))
        self._sizes = {text_of(name): int(size) for name, size in stored.items()}
        self._blocks = {text_of(each): block for each, block in blocks.items()}
        names = sorted((stray | self._sizes.keys()) - {KEPT})
        types = dict(zip(names, self._fence.read(lambda to: self._put_types(to, names)), strict=True))
        self._foreign = {name: text_of(kind) for name, kind in types.items() if not is_of_type(name, kind)}
        own = [name for name in names if name not in self._foreign]
        replies = self._fence.read(lambda to: self._put_members(to, own))
        self._stored = {name: members_in(reply) for name, reply in zip(own, replies, strict=True)}

    def _put_types(self, pipeline: Pipeline, names: Iterable[str]) -> None:
        for name in names:
            pipeline.type(self._keys.group(name))

    def _put_members(self, pipeline: Pipeline, names: Iterable[str]) -> None:
        for name in names:
            put_members(pipeline, self._keys, name)

    def _row(self, look: StreamLook[RowT], at: Checkpoint) -> RowT | None:
        """Raises LookupError where neither the stream nor the row tells, and UnreadableRow."""
        block, refolded, unverified = self._blocks.get(look.row_key), look.refolded, look.unverified
        same = look.position == _position(at) and look.block == block and self._fence.checkpoint.skips == at.skips
        if not same:
            refolded, unverified = self._streams.refold_at(look.row_key, block, at)
        if unverified is not None and not same:
            raise LookupError(unverified)
        return refolded.row if unverified is None else codec_of(self._projection.row).decode(look.fields)

    def _keys_like(self, pattern: str) -> Iterator[bytes]:
        return self._redis.scan_iter(match=pattern, count=_SCANNED_AT_ONCE)

    def _name_of(self, key: bytes) -> str:
        return text_of(key).removeprefix(self._keys.prefix)


def _difference(finding: Finding) -> int:
    """What has to be added; nothing where only a size differs."""
    return 0 if finding.what == "group" else int(finding.folded or 0) - int(finding.stored or 0)


def _position(checkpoint: Checkpoint) -> int:
    return -1 if checkpoint.position is None else checkpoint.position


def _unlike(stored: Mapping[str, int], folded: Mapping[str, int]) -> Iterator[tuple[Kind, str, str | None, str | None]]:
    """How two mappings differ, by their keys."""
    for key in sorted(stored.keys() | folded.keys()):
        old, new = stored.get(key), folded.get(key)
        if old != new:
            kind: Kind = "missing" if old is None else "extra" if new is None else "different"
            yield kind, key, None if old is None else str(old), None if new is None else str(new)
