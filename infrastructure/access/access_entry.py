"""What the access log keeps of one request: who asked for what, and whether that was allowed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, ValidationError

from domain.message import Event, stored_as
from infrastructure.access.caller import Caller
from infrastructure.eventstore.errors import UnknownEventType, UnknownEventVersion, UnreadableEvent
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.schema import Schema, Unfit, UnknownShape

ALLOWED: Final = "allowed"
REFUSED: Final = "refused"
LONGEST: Final = 256
"""Characters that are kept of a text; longer ones end in `…`."""
LONGEST_ROLE: Final = 64
MOST_ROLES: Final = 16
Source: TypeAlias = Literal["http", "cli"]


@stored_as(name="AccessRecorded", version=1)
class AccessRecorded(Event):
    """One entry. `resource` is a stream's name or names another thing, and `rule` says by which it was refused; it
    stands for so many `times`, more than one only of refusals of those without a valid token.

    That it was allowed does not say that it was done, or that an answer arrived.
    """

    entry_id: UUID
    at: AwareDatetime
    subject: str
    roles: tuple[str, ...]
    action: str
    resource: str
    outcome: str
    correlation_id: UUID
    source: str
    rule: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for, from where, and under which correlation id."""

    action: str
    resource: str
    source: Source
    correlation_id: UUID


class _About(BaseModel):
    schema_version: int


_SCHEMA: Final = Schema((AccessRecorded,))


def entry_of(
    caller: Caller, asked: Asked, at: datetime, refused_by: str | None = None, times: int = 1
) -> AccessRecorded:
    """The entry for so many requests; `refused_by` is the rule they were refused by. It has an id of its own."""
    return AccessRecorded(
        entry_id=uuid4(),
        at=at,
        subject=_bounded(caller.subject),
        roles=tuple(_bounded(role, LONGEST_ROLE) for role in sorted(caller.roles)[:MOST_ROLES]),
        action=asked.action,
        resource=_bounded(asked.resource),
        outcome=ALLOWED if refused_by is None else REFUSED,
        rule=refused_by,
        correlation_id=asked.correlation_id,
        source=asked.source,
        times=times,
    )


def record_with(entry: AccessRecorded) -> NewRecord:
    """The entry as it is stored."""
    about = _About(schema_version=entry.stored_version)
    return NewRecord(entry.stored_name, _SCHEMA.written(entry), about.model_dump_json().encode())


def entry_in(record: Record) -> AccessRecorded:
    """The entry that a record holds. Raises UnknownEventType, UnknownEventVersion, UnreadableEvent."""
    place = (record.stream, record.version, record.position or 0)
    if record.type != AccessRecorded.stored_name:
        raise UnknownEventType(*place, record.type)
    try:
        version = _About.model_validate_json(record.metadata).schema_version
        [event] = _SCHEMA.read(record.type, version, record.data)
    except (ValidationError, Unfit) as error:
        raise UnreadableEvent(*place, f"{record.type}: {error}") from error
    except UnknownShape as error:
        raise UnknownEventVersion(*place, error.name, error.version) from error
    assert isinstance(event, AccessRecorded)
    return event


def _bounded(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
