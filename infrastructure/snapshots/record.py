"""Snapshots as stored records: written with a checksum, read with every check."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infrastructure.aggregates.aggregate import Snapshot
from infrastructure.aggregates.bloom import BloomFilter, filter_text, filters_in
from infrastructure.aggregates.command_ids import SEGMENT, CommandIds
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.snapshots.rule import FORMAT, SnapshotRule, Unusable
from infrastructure.snapshots.state import StateJson
from infrastructure.times import time_text

SNAPSHOT_TAKEN: Final = "SnapshotTaken"
_BEYOND: Final = 2**63


class StoredRecord(BaseModel):
    """The content of a record, or a part of it, whose members are validated."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Heading(StoredRecord):
    stream: str
    format: int
    fingerprint: str


class _Commands(StoredRecord):
    recent: dict[UUID, tuple[int, int]]
    sealed: int
    unsealed: str | None


class StoredSnapshot(StoredRecord):
    """The content of a snapshot's record. `commands.sealed` is the number of segments, stored in their own stream."""

    stream: str
    version: Annotated[int, Field(ge=0, lt=_BEYOND)]
    position: int
    last_id: UUID
    taken_at: datetime
    state: StateJson
    commands: _Commands
    notes: dict[str, Any] = Field(default_factory=dict)

    def restored(self, rule: SnapshotRule, position: int, sealed: Sequence[BloomFilter]) -> Snapshot:
        """The snapshot, given the filters of its segments in order. Raises Unusable."""
        state = rule.state_in(self.state, self.version)
        if not rule.fits(state, self.notes):
            raise Unusable("other-schema", self.version)
        commands = self.commands
        within = all(0 <= first <= last <= self.version for first, last in commands.recent.values())
        if commands.sealed != self.version // SEGMENT or not within:
            raise Unusable("undecodable", self.version)
        try:
            unsealed = None if commands.unsealed is None else filters_in(commands.unsealed)[0]
        except ValueError as error:
            raise Unusable("undecodable", self.version) from error
        if len(sealed) != commands.sealed:
            raise Unusable("segments-missing", self.version)
        known = CommandIds(commands.recent, sealed, unsealed)
        return Snapshot(self.stream, self.version, position, self.last_id, state, known, self.notes)


def snapshot_record(snapshot: Snapshot, rule: SnapshotRule) -> NewRecord:
    """The record to store. Raises ValueError for a state that could not be read back."""
    commands = snapshot.commands
    body: dict[str, object] = {
        "stream": snapshot.stream,
        "version": snapshot.version,
        "position": snapshot.position,
        "last_id": str(snapshot.last_id),
        "format": FORMAT,
        "fingerprint": rule.fingerprint,
        "taken_at": time_text(datetime.now(UTC)),
        "state": rule.stored(snapshot.state),
        "commands": {
            "recent": {str(command_id): versions for command_id, versions in commands.recent.items()},
            "sealed": len(commands.sealed),
            "unsealed": None if commands.unsealed is None else filter_text(commands.unsealed),
        },
    }
    if snapshot.notes:
        body["notes"] = snapshot.notes
    return with_checksum(SNAPSHOT_TAKEN, body)


def snapshot_in(record: Record, stream: str, rule: SnapshotRule) -> StoredSnapshot:
    """The content of the record. Raises Unusable, also for one of another stream or schema, or of no snapshot."""
    require_unaltered(record, SNAPSHOT_TAKEN)
    heading = read_as(_Heading, record)
    if heading.stream != stream:
        raise Unusable("other-stream")
    if (heading.format, heading.fingerprint) != (FORMAT, rule.fingerprint):
        raise Unusable("other-schema")
    return read_as(StoredSnapshot, record)


StoredT = TypeVar("StoredT", bound=StoredRecord)


def require_unaltered(record: Record, kind: str) -> None:
    """Raises Unusable for a record of another type, and for one that its checksum does not fit."""
    if record.type != kind or record.metadata != _checksum(record.data):
        raise Unusable("undecodable")


def read_as(model: type[StoredT], record: Record) -> StoredT:
    """The content of a record. Raises Unusable."""
    try:
        return model.model_validate_json(record.data)
    except ValidationError as error:
        raise Unusable("undecodable") from error


def with_checksum(kind: str, body: Mapping[str, object]) -> NewRecord:
    """A record of this type and content, with a checksum by which an altered or damaged one is detected."""
    data = json.dumps(body).encode()
    return NewRecord(kind, data, _checksum(data))


def _checksum(data: bytes) -> bytes:
    return json.dumps({"sha256": sha256(data).hexdigest()}).encode()
