"""Follows a correlation id through the whole log: which command appended which events, and what they caused."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from domain.message import Metadata
from infrastructure.eventstore.log_reader import CORRELATION_PROJECTION, LogReader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.history.errors import NothingTraced
from infrastructure.history.moment import written


@dataclass(frozen=True, slots=True)
class Found:
    """The records that carry a correlation id, in the order of the log, and how they were found.

    `searched` is the number of records that were read for it; None where the links of the system projection were
    followed. `complete` is false where the limit ended the search.
    """

    records: tuple[Record, ...]
    searched: int | None
    complete: bool


@dataclass(slots=True)
class TracedEvent:
    """A record in the tree, and the commands that it caused."""

    record: Record
    caused: list["TracedCommand"] = field(default_factory=list)


@dataclass(slots=True)
class TracedCommand:
    """A command in the tree, or a saga's reaction, and the records that it appended to one stream."""

    command_id: UUID
    causation_id: UUID
    actor: str
    stream: str
    events: list[TracedEvent] = field(default_factory=list)


def find(
    reader: LogReader,
    correlation_id: UUID,
    categories: Iterable[str],
    *,
    limit: int,
    since: datetime | None = None,
) -> Found:
    """Follows the links of the system projection where it runs; else reads the streams of `categories` backwards.

    That search ends after `limit` records, and at the first record that was written before `since`.
    Raises NothingTraced, StoreUnavailable.
    """
    linked = reader.linked(correlation_id, limit)
    if linked is not None:
        found = Found(tuple(linked), None, complete=len(linked) < limit)
        where = f"the links of {CORRELATION_PROJECTION}"
    else:
        found = _search(reader, correlation_id, categories, limit, since)
        bound = "" if found.complete else " (--limit; there are older ones)"
        where = f"the newest {found.searched:,} events{bound}"
    if not found.records:
        raise NothingTraced(correlation_id, where)
    return found


def tree_of(records: Sequence[Record]) -> list[TracedCommand]:
    """The commands that none of the earlier records caused, each with all that followed from it."""
    roots: list[TracedCommand] = []
    commands: dict[tuple[UUID, str], TracedCommand] = {}
    events: dict[UUID, TracedEvent] = {}
    for record in records:
        if (metadata := metadata_of(record)) is None:
            continue
        key = metadata.command_id, record.stream
        if key not in commands:
            commands[key] = TracedCommand(metadata.command_id, metadata.causation_id, metadata.actor, record.stream)
            cause = events.get(metadata.causation_id)
            (roots if cause is None else cause.caused).append(commands[key])
        events[record.id] = TracedEvent(record)
        commands[key].events.append(events[record.id])
    return roots


def metadata_of(record: Record) -> Metadata | None:
    """The metadata of a record; None where this service did not write them."""
    try:
        return Metadata.model_validate_json(record.metadata)
    except ValidationError:
        return None


def _search(
    reader: LogReader, correlation_id: UUID, categories: Iterable[str], limit: int, since: datetime | None
) -> Found:
    newest_first = reader.records(category_pattern(categories), backwards=True, limit=limit)
    found: list[Record] = []
    searched = 0
    for record in _not_before(since, newest_first):
        searched += 1
        if _carries(record, correlation_id):
            found.append(record)
    return Found(tuple(reversed(found)), searched, complete=searched < limit)


def _not_before(since: datetime | None, newest_first: Iterable[Record]) -> Iterator[Record]:
    for record in newest_first:
        if since is not None and written(record) < since:
            return
        yield record


def _carries(record: Record, correlation_id: UUID) -> bool:
    text = str(correlation_id)
    if text.encode() not in record.metadata:
        return False
    try:
        metadata = json.loads(record.metadata)
    except ValueError:
        return False
    return isinstance(metadata, dict) and metadata.get("$correlationId") == text
