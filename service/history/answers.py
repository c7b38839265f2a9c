"""What a look back found, as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias

from infrastructure.eventstore.record import Record
from infrastructure.history.moment import written
from infrastructure.history.past import Change, StateAsOf
from infrastructure.history.trace import Found, metadata_of, tree_of
from service.history.causes import Placed, in_order

Answer: TypeAlias = dict[str, Any]


def record_answer(record: Record) -> Answer:
    """A record as it is stored: null for data that are no JSON, and for who and why where it does not say so.

    `position` is text, as position tokens are: it may have more digits than a JSON number keeps everywhere.
    """
    said = metadata_of(record)
    return {
        "version": record.version,
        "position": str(record.position),
        "at": time_of(written(record)),
        "id": str(record.id),
        "type": record.type,
        "schema_version": said and said.schema_version,
        "actor": said and said.actor,
        "command_id": said and str(said.command_id),
        "correlation_id": said and str(said.correlation_id),
        "causation_id": said and str(said.causation_id),
        "data": _json(record.data),
    }


def history_answer(stream: str, records: Sequence[Record], following: int | None) -> Answer:
    """`next` is the version to go on from; null where that was all."""
    return {"stream": stream, "events": [record_answer(record) for record in records], "next": following}


def changes_answer(stream: str, changes: Iterable[Change]) -> Answer:
    return {"stream": stream, "changes": [change_answer(change) for change in changes]}


def as_of_answer(found: StateAsOf) -> Answer:
    return {**asdict(found), "since": time_of(found.since), "until": found.until and time_of(found.until)}


def change_answer(change: Change) -> Answer:
    return {
        **{name: value for name, value in record_answer(change.record).items() if name != "data"},
        "caused_by": change.cause and str(change.cause),
        "events": [
            {"name": recorded.event.stored_name, "data": recorded.event.model_dump(mode="json")}
            for recorded in change.events
        ],
        "fields": [asdict(difference) for difference in change.fields],
        "before": change.before,
        "after": change.after,
    }


def trace_answer(correlation_id: str, found: Found) -> Answer:
    """The tree as a list: `depth` and `caused_by` say where a command stands in it, 0 and null at a root."""
    return {
        "correlation_id": correlation_id,
        "source": "system projection" if found.searched is None else "search",
        "searched": found.searched,
        "complete": found.complete,
        "commands": [_command(placed) for placed in in_order(tree_of(found.records))],
    }


def time_of(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _command(placed: Placed) -> Answer:
    asked = placed.asked
    return {
        "command_id": str(asked.command_id),
        "causation_id": str(asked.causation_id),
        "actor": asked.actor,
        "stream": asked.stream,
        "depth": placed.depth,
        "caused_by": placed.caused_by and str(placed.caused_by),
        "events": [record_answer(told.record) for told in asked.left],
    }


def _json(content: bytes) -> Any:
    """None too for what can't be told again: numbers beyond all bounds, halves of characters, endless nesting."""
    try:
        value = json.loads(content)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value
