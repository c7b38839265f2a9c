"""Writes links to their streams, in order, and before the first of them what makes a stream readable for all."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from infrastructure.embedded.eventstoredb.projections.source_events import CORRELATION_ID, SourceEvent
from infrastructure.embedded.eventstoredb.projections.standard import Link, Projection
from infrastructure.embedded.eventstoredb.projections.state import ProjectionState
from infrastructure.embedded.eventstoredb.storage.metadata import MAX, TRUNCATE_BEFORE, as_object
from infrastructure.embedded.eventstoredb.storage.record import PendingRecord
from infrastructure.embedded.eventstoredb.storage.rows import StreamRow
from infrastructure.embedded.eventstoredb.storage.transaction import Transaction
from infrastructure.embedded.eventstoredb.streams import writes
from infrastructure.embedded.eventstoredb.streams.decision import ANY

_CHECKPOINT_VERSION = 4
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_STAMP = re.compile(r"(\d{1,9}):-?\d{1,9}:(\d{1,9}):\d")
_FOR_ALL: dict[str, object] = {"$acl": {"$r": "$all", "$mr": "$all"}}


@dataclass(frozen=True, slots=True)
class Emission:
    """The links that one projection in this state makes of some records, by the stream that they go to."""

    projection: Projection
    state: ProjectionState
    streams: dict[str, list[PendingRecord]]


def make(projection: Projection, state: ProjectionState, sources: Iterable[SourceEvent]) -> Emission:
    """Links that are ready to be written."""
    version = f"{projection.number}:{state.epoch}:{state.version}:{_CHECKPOINT_VERSION}"
    streams: dict[str, list[PendingRecord]] = {}
    for source in sources:
        link = projection.link(source)
        if link is not None:
            streams.setdefault(link.target, []).append(_record(link, source, version))
    return Emission(projection, state, streams)


def write(transaction: Transaction, emission: Emission) -> None:
    """Appends the links, those to one stream together; none to a stream that has a tombstone."""
    for target, records in emission.streams.items():
        row = transaction.stream(target)
        if row.last != MAX:
            _prepare(transaction, emission, row)
            writes.append(transaction, target, ANY, records)


def _prepare(transaction: Transaction, emission: Emission, row: StreamRow) -> None:
    """New streams are for all; what a stream holds from before a reset is hidden."""
    if row.last < 0:
        document = _FOR_ALL
    elif _is_older(transaction, emission, row):
        document = {TRUNCATE_BEFORE: row.last + 1, **_FOR_ALL}
    else:
        return
    metadata = PendingRecord(uuid4(), writes.METADATA, True, _json(document), b"")
    writes.append(transaction, f"$${row.name}", ANY, [metadata])


def _is_older(transaction: Transaction, emission: Emission, row: StreamRow) -> bool:
    """Whether the last link in a stream is ours, from before the last reset."""
    epoch = emission.state.epoch
    newest = None if epoch < 0 else transaction.record_at(row, row.last)
    stamp = None if newest is None else as_object(newest.metadata)
    found = None if stamp is None else _STAMP.fullmatch(str(stamp.get("$v")))
    return found is not None and int(found[1]) == emission.projection.number and int(found[2]) < epoch


def _record(link: Link, source: SourceEvent, version: str) -> PendingRecord:
    place = source.record.position
    metadata = {"$v": version, "$c": place, "$p": place, **link.extra, "$causedBy": str(source.record.id)}
    if source.correlation_id:
        metadata[CORRELATION_ID] = source.correlation_id
    return PendingRecord(uuid4(), link.type, False, link.data, _json(metadata))


def _json(document: object) -> bytes:
    return _ENCODER.encode(document).encode()
