"""Handles commands: load, look for a repeat, decide, append; once per command id, however often it is sent."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

from domain.decider import Decider
from domain.errors import DomainError
from domain.message import Command, Event, Recorded
from domain.stream_name import stream_name
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.cache import Cache, Turn
from infrastructure.commands.circuit import Circuit
from infrastructure.commands.execution import Execution
from infrastructure.commands.loader import AggregateLoader
from infrastructure.commands.request import Outcome, Request
from infrastructure.commands.search import CommandSearch, SearchNeeded
from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import (
    CommandIdReused,
    ConcurrencyConflict,
    Overloaded,
    StoreUnavailable,
    VersionMismatch,
    WrongExpectedVersion,
)
from infrastructure.eventstore.streams import CALL_SECONDS, CALLS_AT_ONCE, Streams
from infrastructure.outages import Outages
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.telemetry.spans import span

CommandT = TypeVar("CommandT", bound=Command)
EventT = TypeVar("EventT", bound=Event)
StateT = TypeVar("StateT")
_REFUSALS: Final = (DomainError, VersionMismatch, CommandIdReused)
_DECIDED_AGAIN: Final = (DomainError, VersionMismatch, WrongExpectedVersion, StoreUnavailable)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a command handler goes.

    A lost race is decided again, and a store that is away tried, for about `patience` seconds, each call for
    `call_seconds`, and `calls_at_once` are made together, which must leave room on the client's
    connection. `cached`: so many aggregates stay in memory; `queued`: so many commands wait for their turn at one.
    With a `circuit` nobody tries a store that is known to be away.
    """

    patience: float = 3.0
    call_seconds: float = CALL_SECONDS
    calls_at_once: int = CALLS_AT_ONCE
    cached: int = 10_000
    queued: int = 1_024
    circuit: Circuit | None = None


class CommandHandler:
    """Decides commands against their streams; those of one aggregate take turns.

    What is remembered of an aggregate, or that nothing is, proves nothing but an append: whatever else came of it is
    decided again after the stream was read to its end. After an append without an answer the stream is read, the
    command looked for by its id, and decided again at the version found.
    """

    def __init__(
        self,
        client: CommandClient,
        codec: EventCodec,
        *,
        bounds: Bounds = Bounds(),
        snapshots: Iterable[SnapshotRule] = (),
        counts: CommandCounts | None = None,
        outages: Outages | None = None,
    ) -> None:
        self.counts: Final = counts or CommandCounts()
        self.streams: Final = Streams(
            client,
            codec,
            patience=bounds.call_seconds,
            calls_at_once=bounds.calls_at_once,
            measured=self.counts.calls,
        )
        self._codec: Final = codec
        self._bounds: Final = bounds
        self._cache: Final = Cache(bounds.cached, bounds.queued, bounds.patience)
        self._search: Final = CommandSearch(client, codec, self.counts, max(1, bounds.calls_at_once * 3 // 4))
        self.loader: Final = AggregateLoader(self.streams, self._search, snapshots, self.counts, outages)

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
        may have happened, unavailable. Where there is a circuit, and the store is known to be away, it ends at once.

        Raises, in this order: CommandIdReused; Unknown; Rejected where the command is malformed; VersionMismatch;
        Rejected. Then ConcurrencyConflict, StoreUnavailable and Overloaded; and what a stream that can't be read or
        appended to raises.
        """
        stream = stream_name(decider.category, command.aggregate_id, request.tenant)
        name, place = f"command {type(command).__name__}", {"foldstream.stream": stream}
        with span(name, place, refusals=_REFUSALS) as recorded:
            self._require_store()
            outcome = await self._in_time(decider, command, request, stream, seconds)
            recorded.set_attribute("foldstream.outcome", outcome.effect)
            return outcome

    async def close(self) -> None:
        """Ends what is under way beside the commands, bounded in time: snapshots that are being written, the call."""
        self._search.close()
        await self.loader.close()
        await self.streams.close()

    async def _in_time(
        self,
        decider: Decider[CommandT, StateT, EventT],
        command: CommandT,
        request: Request,
        stream: str,
        seconds: float | None,
    ) -> Outcome:
        """The outcome, once it is the command's turn at its aggregate, within `seconds`."""
        make = partial(Aggregate, stream, decider.initial, decider.evolve, decider.events)
        execution: Execution | None = None
        came = monotonic()
        try:
            turn = self._cache.turn(stream, make)
            async with asyncio.timeout(seconds), turn as aggregate:
                bounds = self._bounds
                execution = Execution(decider, command, request, aggregate, turn.rivalry, came, bounds.patience)
                try:
                    return await self._execute(execution, turn)
                finally:  # also of a load that was cut short: the next one goes on from there
                    self.loader.consider(aggregate, decider.category)
        except TimeoutError as error:
            if execution is not None and execution.races and not execution.unanswered:
                raise ConcurrencyConflict(stream, execution.races) from error
            raise StoreUnavailable(self.streams.address, f"a command was not through within {seconds:.1f} s") from error

    async def _execute(self, execution: Execution, turn: Turn) -> Outcome:
        """For what is remembered, then for the stream, again and again: load, look for a repeat, decide, append."""
        remembered = execution.aggregate.version >= 0
        self.counts.cache.labels("hit" if remembered else "miss").inc()
        while True:
            self._require_store()
            await self._search_for(execution, turn)
            try:
                if execution.reads_stream:
                    await self._load(execution)
                execution.require_visible()
                if records := await self._records_of(execution):
                    return execution.found(records)
                with span("decide", refusals=_REFUSALS):
                    events = execution.decided()
                if events:
                    return execution.appended(events, await self._append(execution, events, turn))
                if execution.reads_stream:
                    return execution.unchanged()
            except SearchNeeded as needed:
                execution.unsearched = needed.part
                continue
            except _DECIDED_AGAIN as error:
                self._note(error)
                await asyncio.sleep(execution.pause_after(error))
            self.counts.retries.labels("remembered").inc(remembered and not execution.reads_stream)
            execution.reads_stream = True

    async def _load(self, execution: Execution) -> None:
        with span("load"):
            await self.loader.load(execution.aggregate, execution.decider.category, execution.revision)

    def _require_store(self) -> None:
        """Raises StoreUnavailable where the store is known to be away."""
        if self._bounds.circuit is not None:
            self._bounds.circuit.require_closed()

    def _note(self, error: Exception) -> None:
        """An append that nobody has answered for long, or a call that has failed, makes the store suspect."""
        is_away = isinstance(error, Overloaded) or (isinstance(error, StoreUnavailable) and error.is_away)
        if self._bounds.circuit is not None and is_away:
            self._bounds.circuit.suspect()

    async def _records_of(self, execution: Execution) -> list[Recorded[Any]]:
        """What the command left in its stream before, under its id or as an earlier release stored it."""
        request, is_loaded = execution.request, execution.reads_stream
        for command_id in execution.command_ids():
            found = await self.loader.records_of(command_id, execution.aggregate, is_loaded=is_loaded)
            if found and request.may_have_left(found[0].metadata):
                return found
        return []

    async def _search_for(self, execution: Execution, turn: Turn) -> None:
        """Searches a long stream for an old command, where that must be; others have their turns meanwhile."""
        part, execution.unsearched = execution.unsearched, None
        if part is None:
            return
        try:
            async with turn.left():
                await self._search.read(part)
        except Overloaded as error:
            raise self._refused(execution, error) from error

    def _refused(self, execution: Execution, error: Overloaded) -> Overloaded | StoreUnavailable:
        """What the caller is told where nothing more is taken on: that nothing was sent, or that it may have been."""
        if not execution.unanswered:
            return error
        return StoreUnavailable(self.streams.address, "an append of it may have happened; no more are taken")

    async def _append(self, execution: Execution, events: Sequence[Event], turn: Turn) -> Appended:
        aggregate, unanswered = execution.aggregate, execution.unanswered
        if rest := turn.rivalry.rest(monotonic()):
            await asyncio.sleep(rest)
        records, began = execution.encoded(events, self._codec), monotonic()
        execution.unanswered = True
        try:
            with span("append", {"foldstream.events": len(records)}, refusals=(WrongExpectedVersion,)):
                answer = await self.streams.append(aggregate.stream, aggregate.version, records)
        except WrongExpectedVersion:
            execution.unanswered = unanswered
            if aggregate.version >= 0:  # else it was only taken for new
                self.counts.retries.labels("conflict").inc()
                turn.rivalry.lose(monotonic(), monotonic() - began)
            raise
        except Overloaded as error:
            self._note(error)
            execution.unanswered = unanswered
            raise self._refused(execution, error) from error
        turn.rivalry.win(monotonic(), monotonic() - began, turn.waiting)
        return answer
