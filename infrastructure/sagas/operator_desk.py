"""Where operators say their words to the instances of a saga: each is an append at the expected version, said once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import uuid5

from domain.decider import Decider
from domain.engine_events import SagaResumed, SagaUndoOrdered
from domain.errors import DomainError
from domain.message import Command, Event
from domain.saga import Saga
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome, Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import EventStoreError, VersionMismatch
from infrastructure.sagas.errors import CodeMissing
from infrastructure.sagas.operator_words import Cancel, Compensate, OperatorWord, decided, refused
from infrastructure.sagas.words import Reading, Words

_NO_VERSION: Final = 2**64
"""No stream gets there: a repeat is found at any version, and nothing else happens."""


class OperatorDesk:
    """Of one saga. `handler` sends what a customer would to have cancelled what an instance is for."""

    def __init__(
        self,
        saga: Saga[Any, Any],
        route: Callable[[Command], Decider[Any, Any, Any]],
        handler: CommandHandler,
        codec: EventCodec,
    ) -> None:
        self._words: Final = Words(saga, handler.streams, codec)
        self._route: Final = route
        self._handler: Final = handler

    async def say(self, stream: str, word: OperatorWord, request: Request) -> tuple[Outcome, Reading]:
        """What came of the word, and what the instance was before; no events where it was so already.

        Raises CommandIdReused, UnknownInstance, VersionMismatch, WordRefused, StoreUnavailable, ConcurrencyConflict,
        what appending raises, and where the state matters what an event that can't be read raises; ValueError for a
        version that there is not.
        """
        return await self._words.say(stream, request, partial(self._decided, word, request))

    async def _decided(self, word: OperatorWord, request: Request, reading: Reading) -> Sequence[Event]:
        events = _decided(word, reading, request)
        if isinstance(word, Cancel):
            return events if await self._cancelled(word, request, reading) else ()
        if not isinstance(word, Compensate):
            return events
        if any(isinstance(event, SagaUndoOrdered) for event in events):
            await self._cancelled(word, request, reading)
        elif await self._cancelled(word, request, reading, again=True):
            return [SagaUndoOrdered(why=word.why), SagaResumed(why=word.why)]  # the saga was faster than this note
        return events

    async def _cancelled(
        self, word: Cancel | Compensate, request: Request, reading: Reading, *, again: bool = False
    ) -> bool:
        """Whether the target was told by this request, now or before; `again`: before, else it is not told.

        Not where it knew already. What is to be undone is cancelled first: so the target, which decides how far it may
        go, goes no further while the last answer is waited for. Raises WordRefused where it is too late.
        """
        instance = reading.instance
        if instance.saga.cancels is None:
            return False
        command = instance.saga.cancels(word.why, instance.state)
        decider = self._route(command)
        own_id = uuid5(request.command_id, f"{decider.category}-{command.aggregate_id}")
        condition = _NO_VERSION if again or reading.has_ended else None
        sent = replace(request, command_id=own_id, causation_id=own_id, if_version=condition, former_ids=())
        try:
            outcome = await self._handler.handle(decider, command, sent)
        except VersionMismatch as error:
            if again:
                return False
            raise refused(word, reading.stream, "has ended") from error
        except DomainError as error:
            if again:
                return False
            raise refused(word, reading.stream, f"is refused: {error.rule}: {error.detail}") from error
        return bool(outcome.events)


def _decided(word: OperatorWord, reading: Reading, request: Request) -> Sequence[Event]:
    """Raises WordRefused also where this build can't tell what state the instance is in."""
    try:
        return decided(word, reading, request.time)
    except CodeMissing as error:
        raise refused(word, reading.stream, f"runs on {error.what} of its saga, which this build lacks") from error
    except Exception as error:
        if error is not reading.fault or isinstance(error, EventStoreError):
            raise
        raise refused(word, reading.stream, f"can't be folded by this build: {error!r}") from error
