"""Handles commands: read, fold, decide, append; once per command id, however often it is sent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5
from weakref import WeakValueDictionary

import stamina
from esdbclient import AsyncEventStoreDBClient, NewEvent

from domain.decider import Decider
from domain.errors import Rejected
from domain.message import Command, Event, Metadata, Recorded
from infrastructure.eventstore.client import address_of
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import (
    CommandIdReused,
    ConcurrencyConflict,
    RaceLost,
    StoreUnavailable,
    VersionMismatch,
)
from infrastructure.eventstore.history import History
from infrastructure.eventstore.reading import CALL_SECONDS, CALLS_AT_ONCE, Streams
from infrastructure.eventstore.streams import stream_name

_MALFORMED: Final = "malformed"  # the domain's rule for what no state could take, such as money without its decimals
CommandT = TypeVar("CommandT", bound=Command)
EventT = TypeVar("EventT", bound=Event)
StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True)
class Request:
    """Who sends a command, why, and how it is told from every other.

    `digest` is one of all that makes the request what it is; `time` is in UTC. With `if_version` the command is
    decided at this version of its stream or not at all.
    """

    command_id: UUID
    digest: str
    correlation_id: UUID
    causation_id: UUID
    actor: str
    tenant: str
    time: datetime
    if_version: int | None = None

    def metadata(self, event: Event) -> Metadata:
        """What is written beside an event that this request causes."""
        return Metadata(
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            command_id=self.command_id,
            digest=self.digest,
            actor=self.actor,
            tenant=self.tenant,
            schema_version=event.stored_version,
            time=self.time,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left in its stream, taken from the log, so that a repeat finds the same.

    `version` and `position` are those of its last event; where it changed nothing (`events` is empty) those of the
    stream's last event, or -1 and 0 where the stream has none. `repeated` says that the command came before.
    """

    stream: str
    events: tuple[Recorded[Any], ...]
    version: int
    position: int
    repeated: bool


def event_id(command_id: UUID, digest: str, index: int) -> UUID:
    """The id of the event that a request decides on as its `index`th: the same each time it is decided."""
    return uuid5(command_id, f"{digest}:{index}")


class CommandHandler:
    """Decides commands against their streams.

    A lost race is decided again, `attempts` times at most; a store that is away is tried for about `patience`
    seconds, each call for `call_seconds`, and `calls_at_once` are made together, which must leave room on the client's
    connection. An append without an answer is looked for before it is sent again, under the same ids.
    """

    def __init__(
        self,
        client: AsyncEventStoreDBClient,
        codec: EventCodec,
        *,
        attempts: int = 10,
        patience: float = 3.0,
        call_seconds: float = CALL_SECONDS,
        calls_at_once: int = CALLS_AT_ONCE,
    ) -> None:
        self._streams: Final = Streams(client, codec, patience=call_seconds, calls_at_once=calls_at_once)
        self._codec: Final = codec
        self._attempts: Final = attempts
        self._patience: Final = patience
        self._address: Final = address_of(client)
        self._turns: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()
        self._racing: Final = stamina.AsyncRetryingCaller(
            attempts=attempts, timeout=None, wait_initial=0.002, wait_max=0.3, wait_jitter=0.04
        )
        self._waiting: Final = stamina.AsyncRetryingCaller(
            attempts=None, timeout=patience, wait_initial=0.05, wait_max=0.5, wait_jitter=0.05
        )

    @property
    def streams(self) -> Streams:
        """What the handler reads and appends with; whoever shares it shares its call for appends."""
        return self._streams

    async def handle(
        self,
        decider: Decider[CommandT, StateT, EventT],
        command: CommandT,
        request: Request,
        *,
        seconds: float | None = None,
    ) -> Outcome:
        """The outcome of the command, now or as it was when its id came first.

        What is not through within `seconds` ends: in a ConcurrencyConflict where it lost races, else unavailable.

        Raises, in this order: CommandIdReused; Unknown; Rejected where the command is malformed; VersionMismatch;
        Rejected. Then ConcurrencyConflict and StoreUnavailable; and what a stream that can't be read or appended to
        raises.
        """
        stream = stream_name(decider.category, command.aggregate_id)
        history = History(self._streams, stream, decider.initial, decider.evolve, request.command_id)
        handling = _Handling(decider, command, request, history)
        try:
            async with asyncio.timeout(seconds):
                return await self._waiting(StoreUnavailable, self._race, handling)
        except TimeoutError as error:
            if handling.lost:
                raise ConcurrencyConflict(stream, handling.lost) from error
            raise StoreUnavailable(self._address, f"nothing came of it within {seconds or 0:.1f} s") from error

    async def _race(self, handling: "_Handling") -> Outcome:
        try:
            return await self._racing(RaceLost, self._attempt, handling)
        except RaceLost as error:
            raise ConcurrencyConflict(handling.history.stream, self._attempts) from error

    async def _attempt(self, handling: "_Handling") -> Outcome:
        """Those of this process who lost a race for a stream take turns, so that each soon wins one."""
        if not handling.lost or handling.waited:
            return await self._try(handling)
        turn = self._turns.setdefault(handling.history.stream, asyncio.Lock())
        try:
            async with asyncio.timeout(self._patience):
                await turn.acquire()
        except TimeoutError:
            handling.waited = True  # long enough: whatever holds the others up is met without them
            return await self._try(handling)
        try:
            return await self._try(handling)
        finally:
            turn.release()

    async def _try(self, handling: "_Handling") -> Outcome:
        history = handling.history
        await history.catch_up()
        if history.of_command:
            return handling.found()
        events = handling.decided()
        if not events:
            return Outcome(history.stream, (), history.version, history.position, repeated=False)
        await self._append(handling, events)
        await history.catch_up()
        if not history.of_command:  # the store took them for a repeat of events that were deleted since
            raise RaceLost(history.stream, None)
        return handling.found()

    async def _append(self, handling: "_Handling", events: Sequence[Event]) -> None:
        history, request = handling.history, handling.request
        handling.sent = True
        try:
            await self._streams.append(history.stream, history.version, self._encoded(events, request))
        except RaceLost as race:
            handling.lost += 1
            history.refused_at(race.current)
            raise

    def _encoded(self, events: Sequence[Event], request: Request) -> list[NewEvent]:
        return [
            self._codec.encode(event, event_id(request.command_id, request.digest, index), request.metadata(event))
            for index, event in enumerate(events)
        ]


@dataclass(slots=True)
class _Handling:
    """One command on its way.

    `sent` says that an append of it was tried, `lost` how often others were faster, `waited` that its turn never came.
    """

    decider: Decider[Any, Any, Any]
    command: Command
    request: Request
    history: History[Any]
    sent: bool = False
    lost: int = 0
    waited: bool = False

    def found(self) -> Outcome:
        events = tuple(self.history.of_command)
        if any(recorded.metadata.digest != self.request.digest for recorded in events):
            raise CommandIdReused(self.history.stream, self.request.command_id)
        last = events[-1]
        return Outcome(self.history.stream, events, last.version, last.position, repeated=not self.sent)

    def decided(self) -> list[Event]:
        """What the command does; a version that doesn't match comes after Unknown and before the rules of the state.

        What is malformed is so at every version.
        """
        try:
            events = self.decider.decide(self.command, self.history.state)
        except Rejected as refusal:
            if refusal.rule != _MALFORMED:
                self._demand_version(refusal)
            raise
        self._demand_version()
        return events

    def _demand_version(self, refusal: Rejected | None = None) -> None:
        expected, history = self.request.if_version, self.history
        current = history.version if self.decider.exists(history.state) else None
        if expected is not None and expected != current:
            raise VersionMismatch(history.stream, expected, current) from refusal
