"""Runs a saga on one message: stores what it observes, asks for what is pending, stores the answers."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from domain.call import Call
from domain.decider import Decider
from domain.engine_events import (
    ENGINE_EVENTS,
    ENGINE_NAMES,
    SagaCallBegun,
    SagaMessageTaken,
    SagaMessageWaiting,
    SagaSignalTaken,
)
from domain.message import Command, Event, Recorded
from domain.saga import Saga
from domain.stream_name import StreamName, stream_name
from infrastructure.access.caller import SAGA
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UNREADABLE, UnreadableEvent, WrongExpectedVersion
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.asker import Asker
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.kept_signals import KeptSignal
from infrastructure.sagas.observer import Observer
from infrastructure.sagas.outside import Outside
from infrastructure.sagas.passed_deadlines import PassedDeadlines
from infrastructure.sagas.quarantine import Quarantine
from infrastructure.sagas.quarantine_state import MessagePlace
from infrastructure.sagas.rivalry import repeatedly
from infrastructure.sagas.round import Answer, GivenUp
from infrastructure.sagas.run import Run, now
from infrastructure.sagas.undo_facts import undone

_logger: Final = structlog.get_logger(__name__)


class SagaCoordinator:
    """Reacts to messages on behalf of one saga.

    What the saga observes is stored in its own stream before anything is asked; what is pending follows from that
    stream alone. The id of a command comes from the saga's event since which it is pending, so that redeliveries and
    rivals ask under the same ids and end in the same facts, whatever is stored between an ask and its answer: of two
    that append at one version, one reads what the other stored.
    """

    def __init__(
        self,
        saga: Saga[Any, Any],
        route: Callable[[Command], Decider[Any, Any, Any]],
        handler: CommandHandler,
        codec: EventCodec,
        *,
        outside: Outside | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.saga: Final = saga
        self._handler: Final = handler
        self._observer: Final = Observer(handler.streams, codec)
        self._asker: Final = Asker(route, handler, outside or Outside({}))
        self._codec: Final = codec
        self.streams: Final[Streams] = handler.streams
        self.clock: Final = clock
        self._actor: Final = f"{SAGA}{saga.category}"
        self._quarantine: Final = Quarantine(self.streams, codec)
        self._passed: Final = PassedDeadlines(self.streams, self._store, self._actor, clock)

    def messages_in(self, delivered: Record) -> list[Recorded[Any]]:
        """The events of a record that wake the saga; an older record may mean several. Raises as `events_in`.

        A word to one of its instances, that it is to go on or a signal, is one of them, and a deadline that passed.

        None of one that was written before the time at which the saga begins.
        """
        begins = self.saga.begins
        if isinstance(begins, datetime) and delivered.at is not None and delivered.at < begins:
            return []
        if delivered.type in ENGINE_NAMES and not self._is_own(delivered.stream):
            return []  # it is for an instance of another saga
        return [event for event in self._codec.events_in(delivered) if type(event.event) in self.saga.messages]

    def stream_of(self, message: Recorded[Any]) -> str:
        """The stream of the saga's instance that this message concerns, a stream of the same tenant.

        Raises UnreadableEvent where the message's stream or the instance's id makes no valid name.
        """
        if isinstance(message.event, ENGINE_EVENTS):
            return message.stream
        try:
            tenant = StreamName.parse(message.stream).tenant
            return stream_name(self.saga.category, self.saga.instance_of(message.event), tenant)
        except Exception as error:
            reason = f"it says of no instance that it concerns it: {error!r}"
            raise UnreadableEvent(message.stream, message.version, message.position, reason) from error

    async def react(self, message: Recorded[Any]) -> None:
        """Returns when the message is stored in the saga's stream and nothing that follows from it is pending.

        What waits for an instance that goes on again is taken before it, in log order; where the instance stands still,
        the message waits as well, and this is noted in its stream.
        May be called with the same message any number of times. Raises what the domain refuses the saga, SagaStuck,
        CodeMissing, StoreUnavailable, ConcurrencyConflict, and what a stream that can't be read raises; the next call
        goes on from there.
        """
        run = self._run(message)
        try:
            await repeatedly(run.instance.stream, self._advance, run)
        finally:
            if run.instance.takes_snapshots:
                self._handler.loader.consider(run.instance, self.saga.category)

    async def stop(self, message: Recorded[Any], error: str) -> None:
        """Has the instance stand still, at this message and for this error; others that came meanwhile wait with it.

        Nothing of the saga's is called. Raises StoreUnavailable, ConcurrencyConflict, and what a stream that can't be
        appended to, or what the engine noted there and can't be read, raises.
        """
        await self._quarantine.stop(self._run(message), error)

    async def attempts(self, message: Recorded[Any]) -> int:
        """How often a message that came again was in hand since. Raises as `stop`."""
        return await self._quarantine.attempts(self._run(message))

    async def attempt(self, message: Recorded[Any]) -> bool:
        """Notes that a message that came again is in hand now; False where it waits instead.

        Raises as `stop`, and CodeMissing: then nothing is noted.
        """
        run = self._run(message)
        await self._quarantine.require_code(run.instance.stream, self.saga)
        return await self._quarantine.attempt(run)

    async def wait(self, message: Recorded[Any]) -> None:
        """Notes that the message waits for a build that has the code of its instance. Raises as `stop`."""
        run = self._run(message)
        if not run.is_word:
            await self._quarantine.wait(run)

    async def attempted(self, message: Recorded[Any]) -> None:
        """Notes that no process has ended with it. Raises as `stop`."""
        await self._quarantine.attempted(self._run(message))

    async def fire(self, stream: str) -> int:
        """Has the deadlines of an instance that have passed lead to what follows; how many. What that asks for is
        asked by whoever is woken by it. None while the instance stands still, or messages wait for it.

        Raises WrongExpectedVersion where somebody else was faster, and as `react`.
        """
        instance = Instance(self.saga, stream)
        await self._load(instance)
        standing = instance.standing
        return 0 if standing.stands_still or standing.waiting else await self._passed.fire(instance)

    async def first_deadline(self, stream: str) -> Recorded[Any] | None:
        """What set the deadline of an instance that passes first; None where `fire` would have none. Raises as `stop`.

        Nothing of the saga's is called.
        """
        return await self._quarantine.first_deadline(stream)

    async def is_settled(self, message: Recorded[Any]) -> bool:
        """Whether `react` would find nothing to do. Raises what a stream that can't be read raises."""
        run = self._run(message)
        instance = run.instance
        await self._load(instance)
        if instance.standing.stands_still:
            return run.is_word or instance.standing.holds(str(message.id))
        is_idle = not instance.standing.waiting and not instance.pending and instance.next_signal is None
        return is_idle and instance.undo is None and not await self._observer.observed(run)

    def _is_own(self, stream: str) -> bool:
        try:
            return StreamName.parse(stream).category == self.saga.category
        except ValueError:
            return False

    def _run(self, message: Recorded[Any]) -> Run:
        return Run(message, Instance(self.saga, self.stream_of(message)), self._actor, self.clock)

    async def _load(self, instance: Instance[Any]) -> None:
        """What can't be read in an instance of code that this build lacks, a build that has it has written."""
        try:
            await self._handler.loader.load(instance, self.saga.category)
        except UNREADABLE:
            await self._quarantine.require_code(instance.stream, self.saga)
            raise

    async def _advance(self, run: Run) -> None:
        instance = run.instance
        await self._load(instance)
        if instance.standing.stands_still:
            await self._wait(run)
            return
        while instance.undo is not None:  # before what waits: at that it may have stopped
            await (self._ask(run) if instance.pending else self._store(run, *undone(run, [])))
        for place in instance.standing.waiting:
            await self._take(run, place)
        await self._go_on(run)

    async def _wait(self, run: Run) -> None:
        """Notes once that the message waits for an instance that stands still."""
        if run.is_word or run.instance.standing.holds(run.place.message_id):
            return
        note = SagaMessageWaiting(**run.place._asdict())
        await self._store(run, (run.note(note), [note]))
        _logger.warning("saga_message_waits", message=run.place.message_id, saga=run.instance.stream)

    async def _take(self, run: Run, place: MessagePlace) -> None:
        """Reacts to a message that has waited; where its record is gone, there is nothing to react to."""
        records = await self.streams.records(place.stream, place.version, 1) or []
        kept = [record for record in records if str(record.id) == place.message_id]
        if not kept:
            _logger.warning("saga_message_gone", message=place.message_id, stream=place.stream, version=place.version)
        for message in [message for record in kept for message in self.messages_in(record)]:
            await self._passed.fire(run.instance, message.at)  # what passed before the message came
            if self.stream_of(message) == run.instance.stream:
                await self._go_on(replace(run, message=message))
        note = SagaMessageTaken(message_id=place.message_id)
        await self._store(run, (run.note(note), [note]))

    async def _go_on(self, run: Run) -> None:
        await self._store(run, (run.observation(), await self._observer.observed(run)))
        while True:
            if (signal := run.instance.next_signal) is not None:
                await self._take_signal(run, signal)
            elif run.instance.pending:
                await self._ask(run)
            else:
                return

    async def _take_signal(self, run: Run, signal: KeptSignal) -> None:
        facts = run.instance.saga.on_signal(signal.name, signal.payload, run.instance.state)
        note = SagaSignalTaken(signal_id=str(signal.id))
        await self._store(run, (run.reaction_to(signal.id), facts), (run.note(note), [note]))

    async def _ask(self, run: Run) -> None:
        """Stores what was answered, and raises what failed beside it."""
        sent = run.instance.sent
        await self._note_calls(run, sent)
        answered = await self._asker.round(run, sent)
        told = [(_behalf_of(answer, run), facts) for answer, facts in answered.told]
        await self._store(run, *told, *undone(run, [fact for _, facts in told for fact in facts]))
        if answered.failure is not None:
            raise answered.failure

    async def _note_calls(self, run: Run, sent: Collection[str]) -> None:
        """Notes which calls are about to be sent, where it matters after a crash that they may have been."""
        calls = [ask for ask in self._asker.next_of(run) if isinstance(ask, Call) and ask.is_noted]
        new = [call for call in calls if call.step not in sent]
        await self._store(run, *((run.request(call), [_begun(call, run)]) for call in new))

    async def _store(self, run: Run, *told: tuple[Request, Sequence[Event]]) -> None:
        """Appends facts, each on behalf of what led to it, together or not at all."""
        facts = [(request, fact) for request, of_one in told for fact in of_one]
        if not facts:
            return
        instance, last = run.instance, facts[-1][0]
        notes = instance.notes_beside([fact for _, fact in facts], last.time)
        facts += [(last, note) for note in notes]
        records = [self._codec.encode(fact, request.metadata(fact)) for request, fact in facts]
        appended = await self.streams.append(instance.stream, instance.version, records)
        if appended.version != instance.version + len(facts):
            instance.forget()  # they stand elsewhere, as after a deletion
            raise WrongExpectedVersion(instance.stream, None)
        for (request, fact), event_id in zip(facts, appended.event_ids, strict=True):
            instance.append([fact], UUID(event_id), request.command_id, appended.position or 0)


def _behalf_of(answer: Answer | GivenUp, run: Run) -> Request:
    if isinstance(answer, GivenUp):
        return run.refusal_of(answer.ask)
    return run.request(answer.ask) if answer.cause is None else run.reaction_to(answer.cause)


def _begun(call: Call, run: Run) -> SagaCallBegun:
    """Until when it may be in hand: it is performed, and then perhaps looked up."""
    return SagaCallBegun(step=call.step, unknown=call.unknown, until=run.clock() + timedelta(seconds=2 * call.seconds))
