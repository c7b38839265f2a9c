"""Makes the answers to looking back of what was found."""

import json
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from infrastructure.eventstore.record import Record
from infrastructure.history.moment import written
from infrastructure.history.past import Change, StateAsOf
from infrastructure.history.trace import Found, metadata_of, tree_of
from service.history.causes import TreeNode, depth_first
from service.history.shapes import (
    ChangeAnswer,
    RecordHeading,
    State,
    StateAnswer,
    StoredEvent,
    TraceAnswer,
    TraceAnswerCommand,
)


def record_answer(record: Record) -> StoredEvent:
    """A record as it is stored."""
    return {**_heading(record), "data": _json(record.data)}


def state_answer(found: StateAsOf) -> StateAnswer:
    """The state as of a time or a version."""
    return {
        "stream": found.stream,
        "version": found.version,
        "since": time_of(found.since),
        "until": None if found.until is None else time_of(found.until),
        "first_version": found.first_version,
        "state": cast("State", found.state),
    }


def change_answer(change: Change) -> ChangeAnswer:
    """What one record did, field by field."""
    return {
        **_heading(change.record),
        "caused_by": _text(change.cause),
        "events": [
            {"name": recorded.event.stored_name, "data": recorded.event.model_dump(mode="json")}
            for recorded in change.events
        ],
        "fields": [{"field": each.field, "before": each.before, "after": each.after} for each in change.fields],
        "before": cast("State", change.before),
        "after": cast("State", change.after),
    }


def trace_answer(correlation_id: str, found: Found) -> TraceAnswer:
    """The tree of a correlation id, as a list."""
    return {
        "correlation_id": correlation_id,
        "source": "system projection" if found.searched is None else "search",
        "searched": found.searched,
        "complete": found.complete,
        "next": found.following,
        "commands": [_command(node) for node in depth_first(tree_of(found.records))],
    }


def time_of(at: datetime) -> str:
    """The time as RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _heading(record: Record) -> RecordHeading:
    """`position` is text, as position tokens are: it may have more digits than a JSON number keeps everywhere."""
    metadata = metadata_of(record)
    return {
        "version": record.version,
        "position": str(record.position),
        "at": time_of(written(record)),
        "id": str(record.id),
        "type": record.type,
        "schema_version": None if metadata is None else metadata.schema_version,
        "actor": None if metadata is None else metadata.actor,
        "command_id": None if metadata is None else str(metadata.command_id),
        "correlation_id": None if metadata is None else str(metadata.correlation_id),
        "causation_id": None if metadata is None else str(metadata.causation_id),
    }


def _command(node: TreeNode) -> TraceAnswerCommand:
    command = node.command
    return {
        "command_id": str(command.command_id),
        "causation_id": str(command.causation_id),
        "actor": command.actor,
        "stream": command.stream,
        "depth": node.depth,
        "caused_by": _text(node.caused_by),
        "events": [record_answer(event.record) for event in command.events],
    }


def _text(event_id: UUID | None) -> str | None:
    return None if event_id is None else str(event_id)


def _json(content: bytes) -> Any:
    """The value; None also for what JSON can't carry again: NaN and infinity, lone surrogates, too deep nesting."""
    try:
        value = json.loads(content)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value
