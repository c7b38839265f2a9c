"""Runs a saga on one message: stores what it observes, asks for what is pending, stores the answers."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid5

import stamina

from domain.decider import Decider
from domain.message import Command, Event, Recorded
from domain.saga import Ask, Saga
from domain.stream_name import StreamName, stream_name
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import ConcurrencyConflict, UnreadableEvent, WrongExpectedVersion
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.errors import SagaStuck


class SagaCoordinator:
    """Reacts to messages on behalf of one saga.

    What the saga observes is stored in its own stream before anything is asked; what is pending follows from that
    stream alone. The id of a command comes from the saga's event that made it pending, so that redeliveries and rivals
    ask under the same ids and end in the same facts: of two that append at one version, one reads what the other
    stored.
    """

    def __init__(
        self,
        saga: Saga[Any, Any],
        route: Callable[[Command], Decider[Any, Any, Any]],
        handler: CommandHandler,
        codec: EventCodec,
        *,
        attempts: int = 10,
    ) -> None:
        self.saga: Final = saga
        self._route: Final = route
        self._handler: Final = handler
        self._codec: Final = codec
        self.streams: Final[Streams] = handler.streams
        self._attempts: Final = attempts
        self._retrying: Final = stamina.AsyncRetryingCaller(
            attempts=attempts, timeout=None, wait_initial=0.005, wait_max=0.5, wait_jitter=0.04
        )

    @property
    def pattern(self) -> str:
        """One regular-expression group that matches the stored names of what wakes the saga, the older ones too."""
        names = sorted({name for event in self.saga.reacts_to for name in event.stored_names()})
        return f"(?:{'|'.join(re.escape(name) for name in names)})"

    def messages_in(self, delivered: Record) -> list[Recorded[Any]]:
        """The events of a record that wake the saga; an older record may mean several. Raises as `events_in`."""
        return [event for event in self._codec.events_in(delivered) if type(event.event) in self.saga.reacts_to]

    def stream_of(self, message: Recorded[Any]) -> str:
        """The stream of the saga's instance that this message concerns, a stream of the same tenant.

        Raises UnreadableEvent where the message's stream or the instance's id makes no valid name.
        """
        try:
            tenant = StreamName.parse(message.stream).tenant
            return stream_name(self.saga.category, self.saga.identify(message.event), tenant)
        except ValueError as error:
            raise UnreadableEvent(message.stream, message.version, message.position, str(error)) from error

    async def react(self, message: Recorded[Any]) -> None:
        """Returns when the message is stored in the saga's stream and nothing that follows from it is pending.

        May be called with the same message any number of times. Raises what the domain refuses the saga, SagaStuck,
        StoreUnavailable, ConcurrencyConflict, and what a stream that can't be read raises; the next call goes on
        from there.
        """
        run = _Run(message, self._history(message), actor=f"saga:{self.saga.category}")
        try:
            await self._retrying(WrongExpectedVersion, self._advance, run)
        except WrongExpectedVersion as error:
            raise ConcurrencyConflict(run.history.stream, self._attempts) from error

    async def is_settled(self, message: Recorded[Any]) -> bool:
        """Whether `react` would find nothing to do. Raises what a stream that can't be read raises."""
        history = self._history(message)
        await history.catch_up(self.streams)
        return not self.saga.observe(message.event, history.state) and not self.saga.pending(history.state)

    def _history(self, message: Recorded[Any]) -> Aggregate[Any]:
        saga = self.saga
        return Aggregate(self.stream_of(message), saga.initial, saga.evolve, saga.events)

    async def _advance(self, run: "_Run") -> None:
        saga, history = self.saga, run.history
        await history.catch_up(self.streams)
        await self._store(run, run.observation(), saga.observe(run.message.event, history.state))
        while asks := saga.pending(history.state):
            await self._ask(run, asks[0])

    async def _ask(self, run: "_Run", ask: Ask) -> None:
        request = run.request(ask)
        outcome = await self._handler.handle(self._route(ask.command), ask.command, request)
        facts = self.saga.on_reply(ask, outcome.events, run.history.state)
        if not facts or not outcome.events or outcome.last_id is None:  # its commands always leave an event
            raise SagaStuck(run.history.stream, ask.step)
        await self._store(run, run.reaction_to(outcome.last_id), facts)

    async def _store(self, run: "_Run", reaction: Request, facts: Sequence[Event]) -> None:
        if not facts:
            return
        history = run.history
        records = [self._codec.encode(fact, reaction.metadata(fact)) for fact in facts]
        appended = await self.streams.append(history.stream, history.version, records)
        if appended.last_id is None or appended.version != history.version + len(facts):
            history.forget()  # they stand elsewhere, as after a deletion
            raise WrongExpectedVersion(history.stream, None)
        history.append(facts, appended.last_id, reaction.command_id, appended.position or 0)


@dataclass(frozen=True, slots=True)
class _Run:
    """One message on its way through one instance of the saga."""

    message: Recorded[Any]
    history: Aggregate[Any]
    actor: str

    def request(self, ask: Ask) -> Request:
        """The request that sends an ask, caused by the saga's own last event."""
        cause = self.history.last_id
        if cause is None:
            raise SagaStuck(self.history.stream, ask.step)
        return self._request(uuid5(cause, ask.step), digest_of(ask), cause)

    def observation(self) -> Request:
        """For the metadata of the facts that the message led to; each event of a record has its own."""
        return self.reaction_to(self.message.id, self.message.index)

    def reaction_to(self, cause: UUID, index: int = 0) -> Request:
        """For the metadata of the saga's events that were caused by this event of that record."""
        stream = self.history.stream if index == 0 else f"{self.history.stream} {index}"
        return self._request(uuid5(cause, stream), sha256(f"{stream} {cause}".encode()).hexdigest(), cause)

    def _request(self, command_id: UUID, digest: str, cause: UUID) -> Request:
        return Request(
            command_id=command_id,
            digest=digest,
            correlation_id=self.message.metadata.correlation_id,
            causation_id=cause,
            actor=self.actor,
            tenant=StreamName.parse(self.history.stream).tenant,
            time=datetime.now(UTC),
        )


def digest_of(ask: Ask) -> str:
    """A digest of what is asked: the step and the command, in canonical JSON."""
    command = json.dumps(ask.command.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return sha256(f"{ask.step} {command}".encode()).hexdigest()
