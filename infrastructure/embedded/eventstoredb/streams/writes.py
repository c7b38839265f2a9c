"""Carries out what was decided: appends, soft deletes, tombstones, and the metadata that goes with them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from infrastructure.embedded.eventstoredb.errors import RepeatInFlight, StreamDeleted, WrongExpectedVersion
from infrastructure.embedded.eventstoredb.storage.metadata import (
    MAX,
    TRUNCATE_BEFORE,
    original_of,
    parse,
    undeleted,
)
from infrastructure.embedded.eventstoredb.storage.record import PendingRecord
from infrastructure.embedded.eventstoredb.storage.rows import StreamRow
from infrastructure.embedded.eventstoredb.storage.transaction import Transaction
from infrastructure.embedded.eventstoredb.streams.decision import (
    EXISTS,
    AlreadyWritten,
    Deleted,
    History,
    StreamState,
    Write,
    WrongVersion,
    decide,
)

METADATA, TOMBSTONE = "$metadata", "$streamDeleted"


@dataclass(frozen=True, slots=True)
class Appended:
    """`last_number` is -1 for a stream that still has no event; without a position the event is hidden."""

    last_number: int
    position: int | None


def append(
    transaction: Transaction,
    stream: str,
    expected: int,
    events: Sequence[PendingRecord],
    *,
    committed: int | None = None,
) -> Appended:
    """Writes all events or none.

    `committed` is where the log ended when the append was accepted; None where no repeat can be in flight. Raises
    WrongExpectedVersion, StreamDeleted, or RepeatInFlight for the ids of a write that was not committed by then.
    """
    decision = _decide(transaction, stream, expected, events)
    if isinstance(decision, AlreadyWritten):
        return _repeated(transaction, stream, decision.last, committed)
    row = transaction.stream(stream)
    position = _write(transaction, stream, events) if events else transaction.take_position()
    if decision.recreates:
        _undelete(transaction, stream, row.last + 1)
    return Appended(row.last + len(events), position)


def delete(transaction: Transaction, stream: str, expected: int) -> int:
    """Hides everything in a stream until the next append to it; the position of that metadata event.

    Raises WrongExpectedVersion (also for a stream that never was) or StreamDeleted.
    """
    _decide(transaction, stream, expected, [_event(METADATA, b"")])
    if transaction.stream(stream).last < 0 and not _has_metadata(transaction, stream):
        raise WrongExpectedVersion(stream, expected, -1)
    return _set_metadata(transaction, stream, json.dumps({TRUNCATE_BEFORE: MAX}).encode())


def tombstone(transaction: Transaction, stream: str, expected: int) -> int:
    """Closes a stream for ever; the position of the tombstone.

    Raises WrongExpectedVersion or StreamDeleted.
    """
    tombstones = [_event(TOMBSTONE, b"", is_json=False)]
    _decide(transaction, stream, expected, tombstones)
    return transaction.write(stream, MAX, tombstones)


def _decide(
    transaction: Transaction, stream: str, expected: int, events: Sequence[PendingRecord]
) -> Write | AlreadyWritten:
    row = transaction.stream(stream)
    if row.last < 0 and _original_is_closed(transaction, stream):
        raise StreamDeleted(stream)
    has_metadata = expected == EXISTS and _has_metadata(transaction, stream)  # else it does not matter
    state = StreamState(row.last, row.metadata.soft_deleted, has_metadata)
    history = History(lambda event: transaction.number_of(row, event), lambda at: transaction.id_at(row, at))
    decision = decide(expected, [event.id for event in events], state, history)
    if isinstance(decision, Deleted):
        raise StreamDeleted(stream)
    if isinstance(decision, WrongVersion):
        raise WrongExpectedVersion(stream, expected, decision.current)
    return decision


def _original_is_closed(transaction: Transaction, stream: str) -> bool:
    original = original_of(stream)
    return original is not None and transaction.stream(original).last == MAX


def _has_metadata(transaction: Transaction, stream: str) -> bool:
    return transaction.stream(f"$${stream}").last >= 0


def _repeated(transaction: Transaction, stream: str, last: int, committed: int | None) -> Appended:
    """A repeat is answered with where the first writing ended, unless readers can't see that any more."""
    row = transaction.stream(stream)
    record = transaction.record_at(row, last)
    if record is not None and committed is not None and record.position > committed:
        raise RepeatInFlight(stream)
    is_hidden = last < row.metadata.first_visible(row.last)
    return Appended(last, None if record is None or is_hidden else record.position)


def _write(transaction: Transaction, stream: str, events: Sequence[PendingRecord]) -> int:
    position = transaction.write(stream, transaction.stream(stream).last + 1, events)
    original = original_of(stream)
    if original is None or original_of(original) is not None:
        return position  # the metadata of a metastream is fixed
    before = transaction.stream(original)
    transaction.limit(original, parse(events[-1].data, events[-1].is_json))
    if before.metadata.soft_deleted and before.last != MAX:
        _undelete(transaction, original, before.last + 1)
    return position


def _undelete(transaction: Transaction, stream: str, first: int) -> None:
    """Repeats the newest metadata with everything from number `first` on visible."""
    current = transaction.stream(f"$${stream}")
    newest = transaction.record_at(current, current.last)
    document = None if newest is None else undeleted(newest.data, newest.is_json, first)
    if document is not None:
        _set_metadata(transaction, stream, document)


def _set_metadata(transaction: Transaction, stream: str, document: bytes) -> int:
    metastream: StreamRow = transaction.stream(f"$${stream}")
    position = transaction.write(metastream.name, metastream.last + 1, [_event(METADATA, document)])
    if original_of(stream) is None:
        transaction.limit(stream, parse(document, is_json=True))
    return position


def _event(kind: str, data: bytes, *, is_json: bool = True) -> PendingRecord:
    return PendingRecord(uuid4(), kind, is_json, data, b"")
