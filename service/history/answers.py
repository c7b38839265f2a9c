"""Makes the answers to looking back of what was found."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import UUID

from pydantic_core import to_jsonable_python

from infrastructure.eventstore.record import Record
from infrastructure.history.moment import written
from infrastructure.history.past import Change, StateAsOf
from infrastructure.history.trace import Found, metadata_of, tree_of
from infrastructure.times import time_text
from service.history.causes import TreeNode, depth_first
from service.history.shapes import (
    ChangeAnswer,
    RecordHeading,
    State,
    StateAnswer,
    StoredEvent,
    TraceAnswer,
    TraceAnswerCommand,
    TraceHeading,
)


def record_answer(record: Record) -> StoredEvent:
    """A record as it is stored."""
    return {**_heading(record), "data": _json(record.data)}


def state_answer(found: StateAsOf) -> StateAnswer:
    """The state as of a time or a version."""
    return {
        "stream": found.stream,
        "version": found.version,
        "since": time_text(found.since),
        "until": None if found.until is None else time_text(found.until),
        "first_version": found.first_version,
        "state": cast("State", found.state),
    }


def change_answer(change: Change) -> ChangeAnswer:
    """What one record did, field by field."""
    return {
        **_heading(change.record),
        "caused_by": _text(change.cause),
        "events": [
            {"name": recorded.event.stored_name, "data": to_jsonable_python(recorded.event)}
            for recorded in change.events
        ],
        "fields": [{"field": each.field, "before": each.before, "after": each.after} for each in change.fields],
        "before": cast("State", change.before),
        "after": cast("State", change.after),
    }


def trace_answer(correlation_id: str, found: Found) -> TraceAnswer:
    """The tree of a correlation id, as a list."""
    return {**trace_heading(correlation_id, found), "commands": list(trace_commands(found))}


def trace_heading(correlation_id: str, found: Found) -> TraceHeading:
    """All of it but the commands."""
    return {
        "correlation_id": correlation_id,
        "source": "system projection" if found.searched is None else "search",
        "searched": found.searched,
        "complete": found.complete,
        "next": found.following,
    }


def trace_commands(
    found: Found, filled: Callable[[Record], Record] = lambda record: record
) -> Iterator[TraceAnswerCommand]:
    """The commands one by one; `filled` gives a record its data, where it was kept without."""
    for node in depth_first(tree_of(found.records)):
        yield _command(node, filled)


def _heading(record: Record) -> RecordHeading:
    """`position` is text, as position tokens are: it may have more digits than a JSON number keeps everywhere."""
    metadata = metadata_of(record)
    return {
        "version": record.version,
        "position": str(record.position),
        "at": time_text(written(record)),
        "id": str(record.id),
        "type": record.type,
        "schema_version": None if metadata is None else metadata.schema_version,
        "actor": None if metadata is None else metadata.actor,
        "on_behalf_of": None if metadata is None else metadata.on_behalf_of,
        "command_id": None if metadata is None else str(metadata.command_id),
        "correlation_id": None if metadata is None else str(metadata.correlation_id),
        "causation_id": None if metadata is None else str(metadata.causation_id),
    }


def _command(node: TreeNode, filled: Callable[[Record], Record]) -> TraceAnswerCommand:
    command = node.command
    return {
        "command_id": str(command.command_id),
        "causation_id": str(command.causation_id),
        "actor": command.actor,
        "stream": command.stream,
        "depth": node.depth,
        "caused_by": _text(node.caused_by),
        "events": [record_answer(filled(event.record)) for event in command.events],
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
