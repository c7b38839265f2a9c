"""A stream as JSON lines, one record a line, which are read back without a store."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from infrastructure.eventstore.record import Record
from infrastructure.history.errors import ExportUnreadable
from infrastructure.times import time_text

_CONTENTS: Final = ("data", "data_base64", "metadata", "metadata_base64")
MEMBERS: Final = frozenset(
    {"stream", "version", "position", "prepare_position", "id", "type", "content_type", "created", *_CONTENTS}
)
"""What a line may say of a record."""


def line_of(record: Record) -> str:
    """The whole record as one line, without a line break."""
    return json.dumps(
        {
            "stream": record.stream,
            "version": record.version,
            "position": record.position,
            "prepare_position": record.prepare_position,
            "id": str(record.id),
            "type": record.type,
            "content_type": record.content_type,
            "created": None if record.at is None else time_text(record.at),
            **_members("data", record.data),
            **_members("metadata", record.metadata),
        },
        ensure_ascii=False,
    )


def records_in(name: str, lines: Iterable[str]) -> Iterator[Record]:
    """The records of one exported stream, byte for byte as they were; blank lines are skipped.

    `name` is the file's, for messages. Raises ExportUnreadable, also for a line of another stream or out of order.
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
        _require_successor(name, number, last, record)
        yield (last := record)
    if last is None:
        raise ExportUnreadable(name, 1, "it holds no record")


def _require_successor(name: str, number: int, last: Record | None, record: Record) -> None:
    if last is None:
        return
    if record.stream != last.stream:
        raise ExportUnreadable(name, number, f"is of {record.stream}, the lines before are of {last.stream}")
    if record.version <= last.version:
        raise ExportUnreadable(name, number, f"version {record.version} follows on {last.version}")


def _record(members: dict[str, Any]) -> Record:
    return Record(
        type=str(members["type"]),
        data=content_in(members, "data"),
        metadata=content_in(members, "metadata"),
        content_type=str(members["content_type"]),
        id=UUID(members["id"]),
        stream=str(members["stream"]),
        version=int(members["version"]),
        position=_position(members["position"]),
        prepare_position=_position(members["prepare_position"]),
        at=None if members["created"] is None else datetime.fromisoformat(members["created"]),
    )


def _position(value: Any) -> int | None:
    return None if value is None else int(value)


def _members(name: str, content: bytes) -> dict[str, Any]:
    """The content as JSON where that gives the same bytes back, else in base64."""
    try:
        value = json.loads(content)
        exact = _compact(value) == content
    except ValueError:
        exact = False
    return {name: value} if exact else {f"{name}_base64": b64encode(content).decode()}


def content_in(members: dict[str, Any], name: str) -> bytes:
    """The bytes of the member of that name. Raises KeyError, and ValueError or TypeError for no base64."""
    if f"{name}_base64" in members:
        return b64decode(members[f"{name}_base64"], validate=True)
    return _compact(members[name])


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
