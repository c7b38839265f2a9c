"""A snapshot as the record that is stored of it, and back; what a record says is checked, never trusted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar
from uuid import UUID

from esdbclient import NewEvent, RecordedEvent
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infrastructure.aggregates.aggregate import Snapshot
from infrastructure.aggregates.bloom import BloomFilter
from infrastructure.aggregates.command_ids import SEGMENT, CommandIds
from infrastructure.aggregates.digested import digested, is_unaltered
from infrastructure.aggregates.filters import filter_text, filters_in
from infrastructure.aggregates.states import Shown, shown, state_in
from infrastructure.eventstore.shapes import fields_of

FORMAT: Final = 1
SNAPSHOT_TAKEN: Final = "SnapshotTaken"
_BEYOND: Final = 2**63
Reason: TypeAlias = Literal["undecodable", "other-stream", "other-schema", "newer-than-stream", "segments-missing"]


class Unusable(Exception):
    """A snapshot or a segment is of no use, for this reason; `version` is the one that it says it is of."""

    def __init__(self, reason: Reason, version: int | None = None) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.version: Final = version


@dataclass(frozen=True)  # no slots, so that the fingerprint is reckoned once
class SnapshotRule:
    """That the streams of a category get a snapshot each `every` events, of states of one of these classes.

    `revision` is raised where old histories come to other states than they did, though the classes are the same.
    """

    category: str
    states: tuple[type, ...]
    every: int = 100
    revision: int = 1

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that a stored state's meaning hangs on: the classes' fields, the revision, the format.

        New events, and new words for a class in its docstring, leave what was stored as good as it was.
        """
        classes = {name: fields_of(kind) for name, kind in self.kinds.items()}
        said = json.dumps([self.category, FORMAT, self.revision, classes], sort_keys=True)
        return sha256(said.encode()).hexdigest()[:16]

    @cached_property
    def kinds(self) -> dict[str, type]:
        """The classes by their names."""
        return {kind.__name__: kind for kind in self.states}

    def state_in(self, said: Shown, version: int) -> Any:
        """The state that was stored so. Raises Unusable."""
        try:
            return state_in(said, self.kinds)
        except ValueError as error:
            raise Unusable("undecodable", version) from error

    def stored(self, state: Any) -> Shown:
        """How a state is stored. Raises ValueError where it could not be read back."""
        said = shown(state)
        if state_in(said, self.kinds) != state:
            raise ValueError(f"a {type(state).__name__} of {self.category} does not read back as it was")
        return said


class Said(BaseModel):
    """What a record says, or a part of it: no more is taken for granted than its members."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Heading(Said):
    stream: str
    format: int
    fingerprint: str


class _Commands(Said):
    recent: dict[UUID, tuple[int, int]]
    sealed: int
    unsealed: str | None


class StoredSnapshot(Said):
    """What a record says of an aggregate: `commands.sealed` is the number of segments, which are stored elsewhere."""

    stream: str
    version: Annotated[int, Field(ge=0, lt=_BEYOND)]
    position: int
    last_id: UUID
    taken_at: datetime
    state: Shown
    commands: _Commands

    def restored(self, rule: SnapshotRule, position: int, sealed: Sequence[BloomFilter]) -> Snapshot:
        """The aggregate, with the filters of its segments, in order. Raises Unusable."""
        state = rule.state_in(self.state, self.version)
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
        return Snapshot(self.stream, self.version, position, self.last_id, state, known)


def snapshot_event(snapshot: Snapshot, rule: SnapshotRule) -> NewEvent:
    """The record to store. Raises ValueError where its state could not be read back."""
    commands = snapshot.commands
    body = {
        "stream": snapshot.stream,
        "version": snapshot.version,
        "position": snapshot.position,
        "last_id": str(snapshot.last_id),
        "format": FORMAT,
        "fingerprint": rule.fingerprint,
        "taken_at": datetime.now(UTC).isoformat(),
        "state": rule.stored(snapshot.state),
        "commands": {
            "recent": {str(command_id): versions for command_id, versions in commands.recent.items()},
            "sealed": len(commands.sealed),
            "unsealed": None if commands.unsealed is None else filter_text(commands.unsealed),
        },
    }
    return digested(SNAPSHOT_TAKEN, body)


def snapshot_in(record: RecordedEvent, stream: str, rule: SnapshotRule) -> StoredSnapshot:
    """What the record says of this stream. Raises Unusable where it is of another, or of another schema, or is none."""
    demand_unaltered(record, SNAPSHOT_TAKEN)
    heading = read_as(_Heading, record)
    if heading.stream != stream:
        raise Unusable("other-stream")
    if (heading.format, heading.fingerprint) != (FORMAT, rule.fingerprint):
        raise Unusable("other-schema")
    return read_as(StoredSnapshot, record)


SaidT = TypeVar("SaidT", bound=Said)


def demand_unaltered(record: RecordedEvent, kind: str) -> None:
    """Raises Unusable for a record of another type, and for one that does not say what was written."""
    if record.type != kind or not is_unaltered(record):
        raise Unusable("undecodable")


def read_as(model: type[SaidT], record: RecordedEvent) -> SaidT:
    """What a record says. Raises Unusable."""
    try:
        return model.model_validate_json(record.data)
    except ValidationError as error:
        raise Unusable("undecodable") from error
