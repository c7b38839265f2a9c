"""Runs a saga on one message: remember, ask, hear, until nothing is pending."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid5

import stamina
from esdbclient import RecordedEvent

from domain.decider import Decider
from domain.message import Command, Event, Metadata, Recorded
from domain.saga import Ask, Saga
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.aggregates.commands import CommandHandler
from infrastructure.aggregates.request import Request, event_id
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import ConcurrencyConflict, RaceLost
from infrastructure.eventstore.streams import stream_name
from infrastructure.sagas.errors import SagaStuck


class SagaCoordinator:
    """Reacts to messages on behalf of one saga.

    What the saga observes is stored in its own stream before anything is asked; what is pending follows from that
    stream alone. The id of a command comes from the saga's event that made it pending, and the ids of the saga's
    events from what caused them, so that a redelivery, or two workers at once, end in the same facts.
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
        self._streams: Final = handler.streams
        self._attempts: Final = attempts
        self._retrying: Final = stamina.AsyncRetryingCaller(
            attempts=attempts, timeout=None, wait_initial=0.005, wait_max=0.5, wait_jitter=0.04
        )

    def messages_in(self, delivered: RecordedEvent) -> list[Recorded[Any]]:
        """What of a record wakes the saga: an older one may mean several events, or others. Raises as `events_in`."""
        return [event for event in self._codec.events_in(delivered) if type(event.event) in self.saga.reacts_to]

    def stream_of(self, message: Recorded[Any]) -> str:
        """The stream of the saga's instance that this message concerns."""
        return stream_name(self.saga.category, self.saga.identify(message.event))

    async def react(self, message: Recorded[Any]) -> None:
        """Returns when the message is stored in the saga's stream and nothing that follows from it is pending.

        May be called with the same message any number of times. Raises what the domain refuses the saga, SagaStuck,
        StoreUnavailable, ConcurrencyConflict, and what a stream that can't be read raises; the next call goes on
        from there.
        """
        run = _Run(message, self._history(message), actor=f"saga:{self.saga.category}")
        try:
            await self._retrying(RaceLost, self._advance, run)
        except RaceLost as error:
            raise ConcurrencyConflict(run.history.stream, self._attempts) from error

    async def is_settled(self, message: Recorded[Any]) -> bool:
        """Whether `react` would find nothing to do. Raises what a stream that can't be read raises."""
        history = self._history(message)
        await history.catch_up(self._streams)
        return not self.saga.observe(message.event, history.state) and not self.saga.pending(history.state)

    def _history(self, message: Recorded[Any]) -> Aggregate[Any]:
        return Aggregate(self.stream_of(message), self.saga.initial, self.saga.evolve)

    async def _advance(self, run: "_Run") -> None:
        saga, history = self.saga, run.history
        await history.catch_up(self._streams)
        await self._store(run, run.observation(), saga.observe(run.message.event, history.state))
        while asks := saga.pending(history.state):
            await self._ask(run, asks[0])

    async def _ask(self, run: "_Run", ask: Ask) -> None:
        request = run.request(ask)
        outcome = await self._handler.handle(self._route(ask.command), ask.command, request)
        facts = self.saga.on_reply(ask, outcome.events, run.history.state)
        if (
            not facts or outcome.last_id is None or not outcome.events
        ):  # a saga's command leaves an event in its target's stream, always
            raise SagaStuck(run.history.stream, ask.step)
        await self._store(run, run.reaction_to(outcome.last_id), facts)

    async def _store(self, run: "_Run", reaction: Request, facts: Sequence[Event]) -> None:
        if not facts:
            return
        ids = [event_id(reaction.command_id, reaction.digest, index) for index in range(len(facts))]
        events = [
            self._codec.encode(fact, fact_id, reaction.metadata(fact)) for fact, fact_id in zip(facts, ids, strict=True)
        ]
        appended = await self._streams.append(run.history.stream, run.history.version, events)
        run.history.append(facts, ids[-1], reaction.command_id, appended.position or 0)


@dataclass(frozen=True, slots=True)
class _Run:
    """One message on its way through one instance of the saga."""

    message: Recorded[Any]
    history: Aggregate[Any]
    actor: str

    @property
    def _origin(self) -> Metadata:
        return self.message.metadata

    def request(self, ask: Ask) -> Request:
        """The request that sends an ask, caused by the saga's own last event."""
        cause = self.history.last_id
        if cause is None:
            raise SagaStuck(self.history.stream, ask.step)
        return self._request(uuid5(cause, ask.step), digest_of(ask), cause)

    def observation(self) -> Request:
        """What stands in the metadata of the facts that the message left; of each of a record's events another."""
        return self.reaction_to(self.message.id, self.message.index)

    def reaction_to(self, cause: UUID, index: int = 0) -> Request:
        """What stands in the metadata of the saga's own events that this event of that record caused."""
        stream = self.history.stream if index == 0 else f"{self.history.stream} {index}"
        return self._request(uuid5(cause, stream), sha256(f"{stream} {cause}".encode()).hexdigest(), cause)

    def _request(self, command_id: UUID, digest: str, cause: UUID) -> Request:
        return Request(
            command_id=command_id,
            digest=digest,
            correlation_id=self._origin.correlation_id,
            causation_id=cause,
            actor=self.actor,
            tenant=self._origin.tenant,
            time=datetime.now(UTC),
        )


def digest_of(ask: Ask) -> str:
    """A digest of what is asked: the step and the command, in canonical JSON."""
    command = json.dumps(ask.command.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return sha256(f"{ask.step} {command}".encode()).hexdigest()
