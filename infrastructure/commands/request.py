"""A command's envelope and its answer: who asks, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from domain.message import Event, Metadata
from infrastructure.access.caller import ANONYMOUS
from infrastructure.telemetry.trace_context import current_trace

Effect: TypeAlias = Literal["appended", "repeated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Request:
    """Who sends a command, why, and how it is told from every other.

    `digest` is one of all that makes the request what it is; `time` is in UTC. With `if_version` the command is
    decided at this version of its stream or not at all. Under `former_ids` an earlier release may have stored it, as
    the actor's or as nobody's. With `owned_by` what has another owner does not exist for it. `on_behalf_of` is whoever
    began what a saga does.
    """

    command_id: UUID
    digest: str
    correlation_id: UUID
    causation_id: UUID
    actor: str
    tenant: str
    time: datetime
    if_version: int | None = None
    former_ids: tuple[UUID, ...] = ()
    owned_by: str | None = None
    on_behalf_of: str | None = None

    def may_have_left(self, metadata: Metadata) -> bool:
        """Whether an event with this metadata may be of this command: earlier releases knew no callers by name."""
        return metadata.command_id == self.command_id or metadata.actor in {ANONYMOUS.subject, self.actor}

    def metadata(self, event: Event) -> Metadata:
        """What is written beside an event that this request causes."""
        trace = current_trace()
        return Metadata(
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            command_id=self.command_id,
            digest=self.digest,
            actor=self.actor,
            tenant=self.tenant,
            on_behalf_of=self.on_behalf_of,
            traceparent=trace.traceparent,
            tracestate=trace.tracestate,
            schema_version=event.stored_version,
            time=self.time,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left in its stream: a repeat finds the same.

    `version` and `position` are those of its last event, `last_id` is that event's id; where it changed nothing
    (`events` is empty) they are those of the stream's last event, or -1, 0 and None where the stream has none.
    `repeated` says that the command came before.
    """

    stream: str
    events: tuple[Event, ...]
    version: int
    position: int
    last_id: UUID | None
    repeated: bool

    @property
    def effect(self) -> Effect:
        """In one word, for logs, metrics and traces."""
        return "repeated" if self.repeated else "appended" if self.events else "unchanged"
