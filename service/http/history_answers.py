"""What looking back is answered with, as the OpenAPI document describes it; `service.history.answers` makes it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class _Caused(BaseModel):
    version: int
    position: str
    at: datetime
    id: str
    type: str
    schema_version: int | None
    actor: str | None
    command_id: str | None
    correlation_id: str | None
    causation_id: str | None


class StoredEvent(_Caused):
    """An event as it is stored. `at` is when the server wrote it.

    `data` is null where they are no JSON; who and what caused it, where its metadata do not say so in our words.
    """

    data: Any


class HistoryAnswer(BaseModel):
    """A part of a stream, oldest first; `next` is the cursor of the part after it."""

    stream: str
    events: list[StoredEvent]
    next: str | None


class State(BaseModel, extra="allow"):
    """What decisions are made from: its fields, and in `is` the name of its class."""

    kind: str = Field(alias="is")


class StateAnswer(BaseModel):
    """The state after `version`, the last from `since` `until`; null: it still is.

    `first_version` is above 0 where older events are gone, so that the state lacks them.
    """

    stream: str
    version: int
    since: datetime
    until: datetime | None
    first_version: int
    state: State


class MeantEvent(BaseModel):
    """An event as it is read today."""

    name: str
    data: dict[str, Any]


class FieldChange(BaseModel):
    """A field, named by its path, before and after; null where it was not there."""

    field: str
    before: Any
    after: Any


class ChangeAnswer(_Caused):
    """What one stored event did. `caused_by` is the event that caused the command; null for a request.

    `events` is what it means today: several, where an older one meant more.
    """

    caused_by: str | None
    events: list[MeantEvent]
    fields: list[FieldChange]
    before: State
    after: State


class ChangesAnswer(BaseModel):
    """A part of what changed, oldest first; `next` is the cursor of the part after it, whatever this one holds."""

    stream: str
    changes: list[ChangeAnswer]
    next: str | None


class TracedCommand(BaseModel):
    """A command, or a saga's reaction, and the events that it left in one stream.

    `caused_by` is the event of this answer that it followed from, `depth` how many commands stand above it.
    """

    command_id: str
    causation_id: str
    actor: str
    stream: str
    depth: int
    caused_by: str | None
    events: list[StoredEvent]


class TraceAnswer(BaseModel):
    """A tree as a list: each command is followed at once by all that follows from it.

    `searched` counts the events that were looked at; null where the system projection had the answer. `complete` is
    false where there may be older ones, or more than can be told at once.
    """

    correlation_id: str
    source: Literal["system projection", "search"]
    searched: int | None
    complete: bool
    commands: list[TracedCommand]
