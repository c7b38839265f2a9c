"""Follows a correlation id through the whole log: which command appended which events, and what they caused."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from domain.message import Metadata
from infrastructure.eventstore.log_reader import CORRELATION_PROJECTION, LogReader
from infrastructure.eventstore.record import Record
from infrastructure.history.errors import NothingTraced, UnknownCursor
from infrastructure.history.moment import written

PART: Final = 2000  # events, or links, that are read for a part
_PART_BYTES: Final = 4 * 1024 * 1024  # of what a part holds, beyond which it ends
_LINKS, _SEARCH = "l", "s"


@dataclass(frozen=True, slots=True)
class Found:
    """The records that carry a correlation id, in the order of the log, and how they were found.

    `searched` is the number of records that were read for it; None where the links of the system projection were
    followed. `following` is the cursor of the part after it, None where there is none.
    """

    records: tuple[Record, ...]
    searched: int | None
    following: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing bounded it."""
        return self.following is None


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
    pattern: str,
    *,
    limit: int,
    since: datetime | None = None,
    keep: Callable[[Record], Record | None] = lambda record: record,
) -> Found:
    """All parts in one, until `limit` records were looked at: of each that was found what `keep` makes of it, if
    anything. Where there are no links, the streams that match are searched.

    Raises NothingTraced, StoreUnavailable.
    """
    parts, left = list[Found](), limit
    while left > 0 and (not parts or parts[-1].following is not None):
        cursor = parts[-1].following if parts else None
        part = find_part(reader, correlation_id, pattern, min(left, PART), since=since, cursor=cursor)
        kept = (keep(record) for record in part.records)
        parts.append(replace(part, records=tuple(record for record in kept if record is not None)))
        left -= min(left, PART) if parts[-1].searched is None else parts[-1].searched or left
    records = sorted((record for part in parts for record in part.records), key=lambda record: record.position or 0)
    searched = None if parts[0].searched is None else sum(part.searched or 0 for part in parts)
    found = Found(tuple(records), searched, parts[-1].following)
    if not records:
        raise NothingTraced(correlation_id, _extent(found))
    return found


def find_part(
    reader: LogReader,
    correlation_id: UUID,
    pattern: str,
    limit: int,
    *,
    since: datetime | None = None,
    cursor: str | None = None,
) -> Found:
    """What `limit` links of the system projection lead to, oldest first; else what `limit` records hold, newest first.

    They are searched where it does not run, in the streams that match, down to the first written before `since`.
    Raises UnknownCursor, StoreUnavailable.
    """
    if cursor is None or cursor.startswith(_LINKS):
        linked = reader.linked(correlation_id, limit, None if cursor is None else int(cursor[1:]))
        if linked is not None:
            records, following = linked
            return Found(tuple(records), None, None if following is None else f"{_LINKS}{following}")
    before = None if cursor is None else int(cursor[1:])
    if before is not None and (before > reader.end() or not reader.holds(before)):
        raise UnknownCursor(str(cursor))
    newest_first = reader.records(pattern, first=before, backwards=True, limit=limit)
    return _searched(_not_before(since, newest_first), correlation_id, limit)


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


def _searched(newest_first: Iterable[Record], correlation_id: UUID, limit: int) -> Found:
    found: list[Record] = []
    searched = size = 0
    for record in newest_first:
        searched += 1
        if _carries(record, correlation_id):
            found.append(record)
            size += len(record.data) + len(record.metadata)
        if searched == limit or size > _PART_BYTES:
            return Found(tuple(reversed(found)), searched, f"{_SEARCH}{record.position}")
    return Found(tuple(reversed(found)), searched)


def _extent(found: Found) -> str:
    """What was looked through in vain, in words."""
    if found.searched is None:
        return f"the links of {CORRELATION_PROJECTION}"
    bound = "" if found.complete else " (--limit; there are older ones)"
    return f"the newest {found.searched:,} events{bound}"


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
