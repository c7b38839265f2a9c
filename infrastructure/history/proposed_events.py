"""Events as JSON lines that somebody wants appended, and who says so, in the metadata of each."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from infrastructure.eventstore.record import JSON, NewRecord, Record
from infrastructure.history.errors import ExportUnreadable
from infrastructure.history.export import MEMBERS, content_in
from infrastructure.times import time_text

REPAIR: Final = "repair"
"""The member of metadata that says who appended the event by hand, why and when."""
_ADVICE: Final = "; use sys.set_int_max_str_digits"  # of Python, behind what is wrong with a number
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTENTS: Final = ("data", "metadata")


@dataclass(frozen=True, slots=True)
class ProposedEvent:
    """An event, and the number of its line."""

    line: int
    record: NewRecord

    def as_stored(self, stream: str, version: int) -> Record:
        """The event as it would be read, were it appended now at this version of the stream, but for its position."""
        new = self.record
        now = datetime.now(UTC)
        return Record(stream, version, 0, uuid4(), new.type, new.data, new.metadata, now, new.content_type)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who appends to a tenant's stream, why and when, and whether that was checked.

    All events of one repair are of one command.
    """

    actor: str
    why: str
    at: datetime
    tenant: str
    checked: bool = True
    command_id: UUID = field(default_factory=uuid4)


def proposed_in(name: str, lines: Iterable[str]) -> Iterator[ProposedEvent]:
    """The events of lines as `foldstream read --json` prints them; `type` and `data` are enough, blank lines skipped.

    Where they were read from is passed over. `name` is the file's, for messages. Raises ExportUnreadable.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield ProposedEvent(number, _record(json.loads(line)))
        except RecursionError as error:
            raise ExportUnreadable(name, number, "is nested too deeply") from error
        except (ValueError, TypeError) as error:
            raise ExportUnreadable(name, number, f"is no event: {str(error).partition(_ADVICE)[0]}") from error


def _record(members: Any) -> NewRecord:
    if not isinstance(members, dict):
        raise ValueError("it should be an object")
    if unknown := sorted(members.keys() - MEMBERS):
        raise ValueError(f"its member {unknown[0]!r} is unknown")
    if both := [each for each in _CONTENTS if {each, f"{each}_base64"} <= members.keys()]:
        raise ValueError(f"it has both {both[0]} and {both[0]}_base64; one of them counts")
    if not isinstance(members.get("type"), str) or not members["type"]:
        raise ValueError("type should be a text that is not empty")
    if _SURROGATE.search(members["type"]):
        raise ValueError("type holds half of a surrogate pair")
    if not {"data", "data_base64"} & members.keys():
        raise ValueError("data is missing")
    has_metadata = {"metadata", "metadata_base64"} & members.keys()
    metadata = content_in(members, "metadata") if has_metadata else b""
    return NewRecord(members["type"], content_in(members, "data"), metadata, str(members.get("content_type", JSON)))


def attributed(record: NewRecord, attribution: Attribution, schema_versions: Mapping[str, int]) -> NewRecord:
    """The record, whose metadata say who appended it by hand and why, and what ours say of every event.

    What they say already is left as it is; `schema_versions` are today's, by the names of events. Raises ValueError for
    metadata that are no JSON object.
    """
    said = json.loads(record.metadata) if record.metadata else {}
    if not isinstance(said, dict):
        raise ValueError("its metadata should be a JSON object: who and why stand in it")
    repair: dict[str, Any] = {
        "actor": attribution.actor,
        "why": attribution.why,
        "at": time_text(attribution.at),
        **({} if attribution.checked else {"unchecked": True}),
    }
    metadata = {**_missing(attribution, schema_versions.get(record.type)), **said, REPAIR: repair}
    return record._replace(metadata=json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode())


def _missing(attribution: Attribution, schema_version: int | None) -> dict[str, Any]:
    command_id = str(attribution.command_id)
    return {
        "$correlationId": command_id,
        "$causationId": command_id,
        "command_id": command_id,
        "digest": REPAIR,
        "actor": attribution.actor,
        "tenant": attribution.tenant,
        **({} if schema_version is None else {"schema_version": schema_version}),
        "time": time_text(attribution.at),
    }
