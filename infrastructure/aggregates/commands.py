"""Handles commands: read, fold, decide, append; once per command id, however often it is sent."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import stamina
from esdbclient import AsyncEventStoreDBClient

from domain.decider import Decider
from domain.errors import DomainError
from domain.message import Command, Event
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.aggregates.cache import Cache
from infrastructure.aggregates.counts import Counts
from infrastructure.aggregates.handling import Handling
from infrastructure.aggregates.loading import Loading
from infrastructure.aggregates.request import Outcome, Request
from infrastructure.aggregates.snapshot import SnapshotRule
from infrastructure.eventstore.appending import Appended
from infrastructure.eventstore.client import address_of
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import (
    ConcurrencyConflict,
    Overloaded,
    RaceLost,
    StoreUnavailable,
    VersionMismatch,
)
from infrastructure.eventstore.reading import CALL_SECONDS, CALLS_AT_ONCE, Streams
from infrastructure.eventstore.streams import stream_name

CommandT = TypeVar("CommandT", bound=Command)
EventT = TypeVar("EventT", bound=Event)
StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a command handler goes.

    A lost race is decided again, `attempts` times at most; a store that is away is tried for about `patience` seconds,
    each call for `call_seconds`, and `calls_at_once` are made together, which must leave room on the client's
    connection. `cached`: so many aggregates stay in memory; `queued`: so many commands wait for their turn at one.
    """

    attempts: int = 10
    patience: float = 3.0
    call_seconds: float = CALL_SECONDS
    calls_at_once: int = CALLS_AT_ONCE
    cached: int = 10_000
    queued: int = 1_024


class CommandHandler:
    """Decides commands against their streams; those of one aggregate take turns.

    What is remembered of an aggregate, or that nothing is, proves nothing but an append: whatever else came of it is
    decided again after the stream was read to its end. An append without an answer is looked for before it is sent
    again, under the same ids.
    """

    def __init__(
        self,
        client: AsyncEventStoreDBClient,
        codec: EventCodec,
        *,
        bounds: Bounds = Bounds(),
        snapshots: Iterable[SnapshotRule] = (),
    ) -> None:
        self.streams: Final = Streams(client, codec, patience=bounds.call_seconds, calls_at_once=bounds.calls_at_once)
        self.counts: Final = Counts()
        self._codec: Final = codec
        self._bounds: Final = bounds
        self._address: Final = address_of(client)
        self._cache: Final = Cache(bounds.cached, bounds.queued, bounds.patience)
        self._newest: int | None = None  # the newest position in the log that was heard of
        self._loading: Final = Loading(self.streams, snapshots, self.counts)
        self._racing: Final = stamina.AsyncRetryingCaller(
            attempts=bounds.attempts, timeout=None, wait_initial=0.002, wait_max=0.3, wait_jitter=0.04
        )
        self._waiting: Final = stamina.AsyncRetryingCaller(
            attempts=None, timeout=bounds.patience, wait_initial=0.05, wait_max=0.5, wait_jitter=0.05
        )

    async def handle(
        self,
        decider: Decider[CommandT, StateT, EventT],
        command: CommandT,
        request: Request,
        *,
        seconds: float | None = None,
    ) -> Outcome:
        """The outcome of the command, now or as it was when its id came first.

        What is not through within `seconds` ends: in a ConcurrencyConflict where it lost races, else or where an append
        may have happened, unavailable.

        Raises, in this order: CommandIdReused; Unknown; Rejected where the command is malformed; VersionMismatch;
        Rejected. Then ConcurrencyConflict, StoreUnavailable and Overloaded; and what a stream that can't be read or
        appended to raises.
        """
        stream = stream_name(decider.category, command.aggregate_id)
        make = partial(Aggregate, stream, decider.initial, decider.evolve)
        handling: Handling | None = None
        try:
            async with asyncio.timeout(seconds), self._cache.turn(stream, make) as aggregate:
                handling = Handling(decider, command, request, aggregate)
                try:
                    return await self._handled(handling)
                finally:  # also of a load that was cut short: the next one goes on from there
                    self._loading.consider(aggregate, decider.category)
        except TimeoutError as error:
            if handling is not None and handling.lost and not handling.unanswered:
                raise ConcurrencyConflict(stream, handling.lost) from error
            raise StoreUnavailable(self._address, f"a command was not through within {seconds} s") from error

    async def close(self) -> None:
        """Ends what is under way beside the commands, bounded in time: snapshots that are being written."""
        await self._loading.close()

    async def _handled(self, handling: Handling) -> Outcome:
        with suppress(StoreUnavailable):  # whatever of it may have happened is looked for
            if (outcome := await self._guess(handling)) is not None:
                return outcome
        return await self._waiting(StoreUnavailable, self._race, handling)

    async def _guess(self, handling: Handling) -> Outcome | None:
        """The outcome as far as it can be had without reading the stream's end; None where that proves nothing."""
        remembered = handling.aggregate.version >= 0
        self.counts.hits += remembered
        self.counts.misses += not remembered
        with suppress(DomainError, VersionMismatch, RaceLost):
            if (outcome := await self._found(handling)) is not None:
                return outcome
            if events := handling.decided():
                return await self._append(handling, events)
        self.counts.retries += remembered
        return None

    async def _race(self, handling: Handling) -> Outcome:
        try:
            return await self._racing(RaceLost, self._attempt, handling)
        except RaceLost as error:
            raise ConcurrencyConflict(handling.aggregate.stream, self._bounds.attempts) from error

    async def _attempt(self, handling: Handling) -> Outcome:
        await self._loading.load(handling.aggregate, handling.decider.category)
        self._hear_of(handling.aggregate.position)
        if (outcome := await self._found(handling)) is not None:
            return outcome
        if not (events := handling.decided()):
            return handling.unchanged()
        return await self._append(handling, events)

    async def _found(self, handling: Handling) -> Outcome | None:
        """The outcome of a command that came before. Raises CommandIdReused."""
        records = await self._loading.records_of(handling.request.command_id, handling.aggregate)
        return handling.found(records) if records else None

    async def _append(self, handling: Handling, events: list[Any]) -> Outcome:
        """The outcome of an append that the store took as one of these events, at the version that is remembered."""
        aggregate, newest = handling.aggregate, await self._newest_position()
        appended = await self._sent(handling, events)
        position = appended.position
        if position is not None and newest < position and appended.version == aggregate.version + len(events):
            self._hear_of(position)
            return handling.appended(events, position)
        # one of the past under the same ids, or the stream was deleted before or after: what stands where is to be read
        handling.unanswered = position is None or newest < position
        self._newest = None  # nor is that known any more, where the store is another than it was
        aggregate.forget()
        raise RaceLost(aggregate.stream, None)

    async def _sent(self, handling: Handling, events: list[Any]) -> Appended:
        aggregate, before = handling.aggregate, handling.unanswered
        handling.unanswered = True
        try:
            encoded = handling.encoded(events, self._codec)
            return await self.streams.append(aggregate.stream, aggregate.version, encoded)
        except RaceLost as race:
            handling.unanswered = before
            if aggregate.version >= 0:  # else it was only taken for new
                handling.lost += 1
                self.counts.conflicts += 1
            aggregate.refused_at(race.current)
            raise
        except Overloaded as error:
            handling.unanswered = before
            if before:
                raise StoreUnavailable(self._address, "an append of it may have happened; no more are taken") from error
            raise

    def _hear_of(self, position: int) -> None:
        """Before the end of the log was asked for, a single stream's position says too little about it."""
        if self._newest is not None:
            self._newest = max(position, self._newest)

    async def _newest_position(self) -> int:
        """A position in the log that every append from now on is beyond: that of an older one is not."""
        if self._newest is None:
            self._newest = await self.streams.end()
        return self._newest
