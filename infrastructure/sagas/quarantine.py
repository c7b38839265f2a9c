"""Has one instance of a saga stand still, by notes in its stream, without calling anything of the saga's."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import structlog

from domain.engine_events import (
    ENGINE_NAMES,
    EngineEvent,
    SagaMessageAttempted,
    SagaMessageTaken,
    SagaMessageWaiting,
    SagaStopped,
)
from domain.message import Recorded
from domain.saga import Saga
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.code_state import CodeState
from infrastructure.sagas.errors import CodeMissing
from infrastructure.sagas.quarantine_state import Standing, evolve
from infrastructure.sagas.rivalry import repeatedly
from infrastructure.sagas.run import Run
from infrastructure.sagas.timers import Timers
from infrastructure.sagas.timers import evolve as evolve_timers

MOST_ATTEMPTS: Final = 3
"""A message that came again is in hand so often: first with others, then alone. Then its instance stops."""
_LONGEST_ERROR: Final = 1_000  # characters
_logger: Final = structlog.get_logger(__name__)


class Quarantine:
    """Reads and writes the engine's notes alone, so it can do so where the saga's own events can't be folded.

    All of it raises StoreUnavailable, ConcurrencyConflict, what appending raises, and what a note of the engine's that
    can't be read raises.
    """

    def __init__(self, streams: Streams, codec: EventCodec) -> None:
        self._streams: Final = streams
        self._codec: Final = codec

    async def standing(self, stream: str) -> tuple[int, Standing]:
        """The version of the stream's last record, -1 where there is none, and the standing of its instance."""
        version, notes = await self._read(stream)
        return version, _standing_after(notes)

    async def first_deadline(self, stream: str) -> Recorded[Any] | None:
        """What set the deadline that passes first; None where none is open, the instance stands still, or messages
        wait for it."""
        _, notes = await self._read(stream)
        standing, timers = _standing_after(notes), Timers()
        for note in notes:
            timers = evolve_timers(timers, note.event, note.version)
        first = timers.next
        if first is None or standing.stands_still or standing.waiting:
            return None
        return next(note for note in notes if note.version == first.version)

    async def _read(self, stream: str) -> tuple[int, list[Recorded[EngineEvent]]]:
        version, notes = -1, list[Recorded[EngineEvent]]()
        while page := await self._streams.records(stream, version + 1, PAGE):
            notes += [note for record in page if record.type in ENGINE_NAMES for note in self._codec.events_in(record)]
            version = page[-1].version
            if len(page) < PAGE:
                break
        return version, notes

    async def stop(self, run: Run, error: str) -> None:
        """Notes that the instance stands still, at the first message that it has not taken, and that this one waits.

        One that is paused stands still already, and meets the message again once it goes on.
        """
        await repeatedly(run.instance.stream, lambda: self._stop(run, error))

    async def wait(self, run: Run) -> None:
        """Notes once that the message waits, whether its instance stands still or not."""
        await repeatedly(run.instance.stream, lambda: self._wait(run))

    async def require_code(self, stream: str, saga: Saga[Any, Any]) -> None:
        """Raises CodeMissing where the instance runs on code that the saga lacks, as far as the engine has noted it."""
        code, version = CodeState(), -1
        while page := await self._streams.records(stream, version + 1, PAGE):
            for record in page:
                code = self._code_after(code, record)
            version = page[-1].version
            if len(page) < PAGE:
                break
        if (what := code.lacking_in(saga)) is not None:
            raise CodeMissing(stream, what)

    async def attempts(self, run: Run) -> int:
        """How often a message that came again was in hand since, and was not reacted to."""
        _, standing = await self.standing(run.instance.stream)
        return standing.attempts.get(run.place.message_id, 0)

    async def attempt(self, run: Run) -> bool:
        """Notes that a message that came again is in hand now.

        False where it must not be: its instance stands still, or does from now on, since processes ended with it in
        hand.
        """
        return await repeatedly(run.instance.stream, lambda: self._attempt(run))

    async def attempted(self, run: Run) -> None:
        """Notes that the message was reacted to, unless it waits."""
        await repeatedly(run.instance.stream, lambda: self._attempted(run))

    async def _stop(self, run: Run, error: str) -> None:
        version, standing = await self.standing(run.instance.stream)
        notes, place = list[EngineEvent](), run.place
        if not standing.stands_still:
            first = standing.waiting[0] if standing.waiting else place
            notes.append(SagaStopped(**first._asdict(), error=error[:_LONGEST_ERROR]))
            standing = evolve(standing, notes[0])
        if not run.is_word and not standing.holds(place.message_id):
            notes.append(SagaMessageWaiting(**place._asdict()))
        await self._append(run, version, notes)
        for note in notes:
            event = "saga_stopped" if isinstance(note, SagaStopped) else "saga_message_waits"
            _logger.error(event, saga=run.instance.stream, message=place.message_id, reason=error)

    async def _wait(self, run: Run) -> None:
        version, standing = await self.standing(run.instance.stream)
        if not standing.holds(run.place.message_id):
            await self._append(run, version, [SagaMessageWaiting(**run.place._asdict())])

    async def _attempt(self, run: Run) -> bool:
        version, standing = await self.standing(run.instance.stream)
        known = standing.attempts.get(run.place.message_id, 0)
        if not standing.stands_still and known < MOST_ATTEMPTS:
            await self._append(run, version, [SagaMessageAttempted(**run.place._asdict())])
            return True
        await self._stop(run, f"processes ended {known + 1} times with the message in hand, at last with no other")
        return False

    async def _attempted(self, run: Run) -> None:
        version, standing = await self.standing(run.instance.stream)
        if not standing.stands_still and run.place.message_id in standing.attempts:
            await self._append(run, version, [SagaMessageTaken(message_id=run.place.message_id)])

    async def _append(self, run: Run, version: int, notes: Sequence[EngineEvent]) -> None:
        if not notes:
            return
        records = [self._codec.encode(note, run.note(note).metadata(note)) for note in notes]
        await self._streams.append(run.instance.stream, version, records)

    def _code_after(self, code: CodeState, record: Record) -> CodeState:
        """A fact of the saga's own is not decoded: that there is one says that the instance has begun."""
        if record.type not in ENGINE_NAMES:
            return code if code.version is not None else replace(code, version=1)
        for noted in self._codec.events_in(record):
            code = code.after(noted.event)
        return code


def _standing_after(notes: Sequence[Recorded[EngineEvent]]) -> Standing:
    standing = Standing()
    for note in notes:
        standing = evolve(standing, note.event)
    return standing
