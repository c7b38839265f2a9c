"""A stream as a file of JSON lines, one record a line, from which it is read again anywhere."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from infrastructure.eventstore.record import Record
from infrastructure.history.errors import ExportUnreadable


def line_of(record: Record) -> str:
    """Everything of the record as one line, without its end."""
    return json.dumps(
        {
            "stream": record.stream,
            "version": record.version,
            "position": record.position,
            "prepare_position": record.prepare_position,
            "id": str(record.id),
            "type": record.type,
            "content_type": record.content_type,
            "created": None if record.at is None else record.at.isoformat(),
            **_stored("data", record.data),
            **_stored("metadata", record.metadata),
        },
        ensure_ascii=False,
    )


def records_in(name: str, lines: Iterable[str]) -> Iterator[Record]:
    """The records of one exported stream, byte for byte as they were; blank lines are passed by.

    `name` is the file's, for messages. Raises ExportUnreadable, also where a line is of another stream or out of order.
    """
    last: Record | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = _record(json.loads(line))
        except KeyError as error:
            raise ExportUnreadable(name, number, f"{error.args[0]} is missing") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise ExportUnreadable(name, number, f"is no exported record: {error}") from error
        _demand_succession(name, number, last, record)
        yield (last := record)
    if last is None:
        raise ExportUnreadable(name, 1, "it holds no record")


def _demand_succession(name: str, number: int, last: Record | None, record: Record) -> None:
    if last is None:
        return
    if record.stream != last.stream:
        raise ExportUnreadable(name, number, f"is of {record.stream}, the lines before are of {last.stream}")
    if record.version <= last.version:
        raise ExportUnreadable(name, number, f"version {record.version} follows on {last.version}")


def _record(said: dict[str, Any]) -> Record:
    return Record(
        stream=str(said["stream"]),
        version=int(said["version"]),
        position=_position(said["position"]),
        id=UUID(said["id"]),
        type=str(said["type"]),
        data=_bytes(said, "data"),
        metadata=_bytes(said, "metadata"),
        at=None if said["created"] is None else datetime.fromisoformat(said["created"]),
        content_type=str(said["content_type"]),
        prepare_position=_position(said["prepare_position"]),
    )


def _position(said: Any) -> int | None:
    return None if said is None else int(said)


def _stored(name: str, content: bytes) -> dict[str, Any]:
    """As JSON where that gives the same bytes back, else in base64."""
    try:
        value = json.loads(content)
        exact = _compact(value) == content
    except ValueError:
        exact = False
    return {name: value} if exact else {f"{name}_base64": b64encode(content).decode()}


def _bytes(said: dict[str, Any], name: str) -> bytes:
    if f"{name}_base64" in said:
        return b64decode(said[f"{name}_base64"], validate=True)
    return _compact(said[name])


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
