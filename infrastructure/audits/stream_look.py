"""What Redis has of a stream beside what the stream comes to, at one position, and how they differ."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic

from domain.stream_name import stream_of_row
from infrastructure.audits.findings import Finding, Kind, What
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.rows import codec_of
from infrastructure.readmodels.stream_fold import Refolded
from projections.projection import Add, Projection, RowT

_SHOWN: Final = 1_000  # characters of a value


@dataclass(slots=True)
class StreamLook(Generic[RowT]):
    """Of one aggregate at a position. `listed` is None in a generation without a list of its rows.

    `block` is how it is blocked, as it is stored. `unverified` says why the stream could not be folded. `scores` are
    those of the entries that its events changed.
    `other_types` are the types of keys that hold something else: of the row's (``), and of indexes by name.
    """

    row_key: str
    position: int
    fields: Mapping[bytes, bytes]
    listed: bool | None
    block: bytes | None = None
    refolded: Refolded[RowT] = field(default_factory=Refolded)
    unverified: str | None = None
    scores: Mapping[tuple[str, str], float | None] = field(default_factory=dict)
    other_types: dict[str, str] = field(default_factory=dict)

    def found(self, projection: Projection[RowT], keys: PartitionKeys) -> list[Finding]:
        """How they differ; the one reason where the stream could not be folded."""
        stream = stream_of_row(projection.category, self.row_key)

        def finding(kind: Kind, what: What, *told: Any) -> Finding:
            return Finding(keys.partition, self.position, kind, what, stream, *told)

        if self.unverified is not None:
            return [finding("unverified", "stream", "", "", None, self.unverified)]
        row = self.refolded.row
        found = [finding(*told) for told in self._of_row(row)]
        if self.listed is not None and self.listed != (row is not None):
            found.append(finding("extra" if self.listed else "missing", "id"))
        if row is not None and self.fields:
            found += [finding(kind, "field", name, "", *values) for kind, name, *values in self._fields(row)]
        found += [finding(kind, "entry", *told) for kind, *told in self._entries()]
        wrong = {name: other for name, other in self.other_types.items() if name}
        return found + [other_type(keys, self.position, name, other) for name, other in wrong.items()]

    def _of_row(self, row: RowT | None) -> Iterator[tuple[Kind, What, str, str, str | None]]:
        """Whether there is one, and has to be."""
        if (other := self.other_types.get("")) is not None:
            yield "extra" if row is None else "different", "row", "", "", f"a {other}"
        elif (row is None) == bool(self.fields):
            yield "extra" if row is None else "missing", "row", "", "", None

    def _fields(self, row: RowT) -> Iterator[tuple[Kind, str, str | None, str | None]]:
        expected = _fields_of(row)
        for name in expected.keys() | self.fields.keys():
            stored, folded = self.fields.get(name), expected.get(name)
            if not _is_same(stored, folded):
                kind: Kind = "missing" if stored is None else "extra" if folded is None else "different"
                yield kind, _text(name) or "", _text(stored), _text(folded)

    def _entries(self) -> Iterator[tuple[Kind, str, str, str | None, str | None]]:
        for place, change in self.refolded.changes.items():
            stored, folded = self.scores.get(place), change.entry.score if isinstance(change, Add) else None
            if stored != folded:
                kind: Kind = "missing" if stored is None else "extra" if folded is None else "different"
                yield kind, *place, _number(stored), _number(folded)

    def put_right(self, keys: PartitionKeys, transaction: Transaction) -> None:
        """Puts what makes Redis hold what the stream comes to into a transaction. What was counted stays counted."""
        row = self.refolded.row
        transaction.add("DEL", keys.row(self.row_key))
        if row is not None:
            transaction.add("HSET", keys.row(self.row_key), *codec_of(type(row)).encode(row))
        if self.listed is not None and row is None:
            transaction.add("ZREM", keys.ids, self.row_key)
        elif self.listed is not None:
            transaction.add("ZADD", keys.ids, 0, self.row_key)
        for kind, index, member, *_ in self._entries():
            if kind == "extra":
                transaction.add("ZREM", keys.index(index), member)
            else:
                score = self.refolded.changes[index, member].entry.score
                transaction.add("ZADD", keys.index(index), score, member)


def other_type(keys: PartitionKeys, position: int, index: str, found: str) -> Finding:
    """The key of an index that holds something else, of that type."""
    return Finding(keys.partition, position, "different", "key", "", index, "", f"a {found}")


def _fields_of(row: RowT) -> dict[bytes, bytes]:
    parts = [part.encode() if isinstance(part, str) else part for part in codec_of(type(row)).encode(row)]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _is_same(stored: bytes | None, folded: bytes | None) -> bool:
    """Whether they are the same JSON, however it was written."""
    if stored is None or folded is None or stored == folded:
        return stored == folded
    try:
        return _canonical(stored) == _canonical(folded)
    except ValueError:
        return False


def _canonical(text: bytes) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")[:_SHOWN]


def _number(score: float | None) -> str | None:
    return None if score is None else f"{score:.17g}"
