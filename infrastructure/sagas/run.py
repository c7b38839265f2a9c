"""One message on its way through one instance of a saga, and the envelopes of all that it leads to."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from pydantic_core import to_jsonable_python

from domain.call import Call
from domain.engine_events import ENGINE_EVENTS, EngineEvent
from domain.message import Recorded
from domain.saga import Ask
from domain.stream_name import StreamName
from infrastructure.access.caller import ANONYMOUS
from infrastructure.commands.request import Request
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.quarantine_state import MessagePlace


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """One message on its way through one instance of the saga. What it leads to is written at the `clock`'s time."""

    message: Recorded[Any]
    instance: Instance[Any]
    actor: str
    clock: Callable[[], datetime] = now

    @property
    def is_word(self) -> bool:
        """Whether it stands in the instance's own stream: a word to it, a deadline. The saga observes nothing of it."""
        return isinstance(self.message.event, ENGINE_EVENTS)

    @property
    def place(self) -> MessagePlace:
        """Where the message lies."""
        return MessagePlace(self.message.position, self.message.stream, self.message.version, str(self.message.id))

    def request(self, ask: Ask | Call) -> Request:
        """The request that sends an ask or a call, caused by the saga's own event since which it is pending."""
        cause = self.instance.cause_of(ask.step)
        return self._request(uuid5(cause, ask.step), digest_of(ask), cause)

    def observation(self) -> Request:
        """For the metadata of the facts that the message led to; each event of a record has its own."""
        return self.reaction_to(self.message.id, self.message.index)

    def reaction_to(self, cause: UUID, index: int = 0) -> Request:
        """For the metadata of the saga's events that were caused by this event of that record."""
        stream = self.instance.stream if index == 0 else f"{self.instance.stream} {index}"
        return self._request(uuid5(cause, stream), sha256(f"{stream} {cause}".encode()).hexdigest(), cause)

    def refusal_of(self, ask: Ask) -> Request:
        """For the metadata of the saga's events that follow from a step that was given up."""
        cause, name = self.instance.cause_of(ask.step), f"{ask.step} refused"
        return self._request(uuid5(cause, name), sha256(f"{name} {cause}".encode()).hexdigest(), cause)

    def note(self, event: EngineEvent) -> Request:
        """For the metadata of what the engine notes about the message."""
        name = f"{self.instance.stream} {event.stored_name}"
        return self._request(uuid5(self.message.id, name), sha256(name.encode()).hexdigest(), self.message.id)

    @property
    def _beginner(self) -> str | None:
        """The subject of whoever the saga acts for, as far back as that is known."""
        metadata = self.message.metadata
        if metadata.on_behalf_of is not None or metadata.actor in {ANONYMOUS.subject, self.actor}:
            return metadata.on_behalf_of
        return metadata.actor

    def _request(self, command_id: UUID, digest: str, cause: UUID) -> Request:
        return Request(
            command_id=command_id,
            digest=digest,
            correlation_id=self.message.metadata.correlation_id,
            causation_id=cause,
            actor=self.actor,
            tenant=StreamName.parse(self.instance.stream).tenant,
            time=self.clock(),
            on_behalf_of=self._beginner,
        )


def digest_of(ask: Ask | Call) -> str:
    """A digest of what is asked: the step and the command or request, in canonical JSON."""
    asked = ask.command if isinstance(ask, Ask) else ask.request
    text = json.dumps(to_jsonable_python(asked), sort_keys=True, separators=(",", ":"))
    return sha256(f"{ask.step} {text}".encode()).hexdigest()
