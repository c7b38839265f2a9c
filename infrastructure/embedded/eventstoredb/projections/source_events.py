"""The records that system projections get, and what these say."""

import json
from dataclasses import dataclass

from infrastructure.embedded.eventstoredb.storage.metadata import as_object, original_of, parse
from infrastructure.embedded.eventstoredb.storage.record import LogRecord
from infrastructure.embedded.eventstoredb.streams.writes import METADATA, TOMBSTONE

CORRELATION_ID = "$correlationId"


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """A record that projections get.

    `subject` is the stream that it is about: its own, or for a metadata event the one whose metadata it is.
    """

    record: LogRecord
    subject: str
    deletes: bool
    correlation_id: str | None


def is_considered(stream: str) -> bool:
    """Whether records of a stream are source events: not those of system streams, nor their metadata."""
    original = original_of(stream)
    return not (stream if original is None else original).startswith("$")


def source_of(record: LogRecord) -> SourceEvent | None:
    """None for an event that is said to be JSON and is not: no projection takes it."""
    if record.is_json and not _is_json(record.data):
        return None
    original = original_of(record.stream)
    if original is None:
        subject, deletes = record.stream, record.type == TOMBSTONE
    else:
        subject = original
        deletes = record.type == METADATA and parse(record.data, record.is_json).soft_deleted
    return SourceEvent(record, subject, deletes, _correlation_id(record.metadata))


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data.decode(), parse_int=float)  # a float takes any number of digits
    except (ValueError, RecursionError):
        return False
    return True


def _correlation_id(metadata: bytes) -> str | None:
    document = as_object(metadata) if CORRELATION_ID.encode() in metadata else None
    value = None if document is None else document.get(CORRELATION_ID)
    # JSON can hold half a surrogate pair, which is no text.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else None
