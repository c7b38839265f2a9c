"""The answers to looking back, as JSON: what the command line prints and the HTTP API answers and documents.

They are plain dictionaries, because stored data may be nested deeper than pydantic dumps a model.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, WithJsonSchema, with_config
from typing_extensions import TypedDict

Time: TypeAlias = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]

State = TypedDict("State", {"is": str})  # no class, because `is` is a keyword
State.__doc__ = "What decisions are made from: its fields, and in `is` the name of its class."
with_config(ConfigDict(extra="allow"))(State)


class RecordHeading(TypedDict):
    """A record's place in its stream and in the log, and who and what caused it.

    `on_behalf_of` is whoever a saga acts for; null where a person acts, and where nobody is known.
    """

    version: int
    position: str
    at: Time
    id: str
    type: str
    schema_version: int | None
    actor: str | None
    on_behalf_of: str | None
    command_id: str | None
    correlation_id: str | None
    causation_id: str | None


class StoredEvent(RecordHeading):
    """An event as it is stored. `at` is when the server wrote it.

    `data` is null where it is not JSON; who and what caused it, where its metadata does not have our form.
    """

    data: Any


class StateAnswer(TypedDict):
    """The state after `version`, the last from `since` `until`; null: it still is.

    `first_version` is above 0 where older events are gone, so that the state lacks them.
    """

    stream: str
    version: int
    since: Time
    until: Time | None
    first_version: int
    state: State


class MeantEvent(TypedDict):
    """An event as it is read today."""

    name: str
    data: dict[str, Any]


class FieldChange(TypedDict):
    """A field, named by its path, before and after; null where it was not there."""

    field: str
    before: Any
    after: Any


class ChangeAnswer(RecordHeading):
    """What one stored event did. `caused_by` is the event that caused the command; null for a request.

    `events` is what it means today: several, where an older one meant more.
    """

    caused_by: str | None
    events: list[MeantEvent]
    fields: list[FieldChange]
    before: State
    after: State


class TraceAnswerCommand(TypedDict):
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


class TraceHeading(TypedDict):
    """How a tree was found, and how far it was looked for."""

    correlation_id: str
    source: Literal["system projection", "search"]
    searched: int | None
    complete: bool
    next: str | None


class TraceAnswer(TraceHeading):
    """A tree as a list: each command is followed at once by all that follows from it.

    `searched` counts the events that were looked at; null where the system projection had the answer. `next` is the
    cursor of the part after this one, null where there is none; `complete` is true then.
    """

    commands: list[TraceAnswerCommand]
