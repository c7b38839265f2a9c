"""Says an operator's word to instances of a saga, and tells in words and as JSON what came of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, assert_never

from domain.engine_events import SagaResumed, SagaStepSkipped, SagaUndoOrdered
from domain.saga import Saga
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.client import CommandClient
from infrastructure.sagas.operator_desk import OperatorDesk
from infrastructure.sagas.operator_words import (
    Cancel,
    Compensate,
    Migrate,
    OperatorWord,
    Pause,
    Resume,
    Retry,
    Skip,
)
from infrastructure.sagas.words import Reading
from service.cli.operator_act import Act
from service.cli.sagas.instances import request_of
from service.consumers import route
from service.history.sources import CODEC

LOGGED: Final[Mapping[type[OperatorWord], str]] = {
    Pause: "saga_paused",
    Resume: "saga_resumed",
    Retry: "saga_resumed",
    Compensate: "saga_undo_ordered",
    Cancel: "saga_cancel_requested",
    Skip: "saga_step_skipped",
    Migrate: "saga_migrated",
}


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a word to the instance of this stream."""

    stream: str
    word: OperatorWord
    outcome: Outcome
    before: Reading

    @property
    def changed(self) -> bool:
        return bool(self.outcome.events)

    def members(self) -> dict[str, Any]:
        """What is told as JSON beside the instance."""
        match self.word:
            case Retry():
                return {"changed": self.changed, "stopped": self._stop()}
            case Skip():
                return {"changed": self.changed, "step": self._skipped()}
            case Migrate():
                before = self.before.instance.code.version if self.changed else None
                return {"changed": self.changed, "version": self._version(), "version_before": before}
            case _:
                return {"changed": self.changed}

    def described(self) -> str:
        """The same in words, after the name of the stream."""
        return self._change() if self.changed else self._as_it_was()

    def _as_it_was(self) -> str:
        match self.word:
            case Compensate():
                return "is being undone already"
            case Migrate():
                return f"runs on version {self._version()} already"
            case _:
                return "was cancelled already"

    def _change(self) -> str:
        match self.word:
            case Pause():
                return "stands still; what comes meanwhile waits"
            case Resume() | Retry():
                stopped = self.before.standing.stopped
                where = "" if stopped is None else f"version {stopped.version} of {stopped.stream}: {stopped.error}"
                return f"goes on; it stood at {where}" if where else "goes on"
            case Compensate():
                is_new = any(isinstance(event, SagaUndoOrdered) for event in self.outcome.events)
                return "is to be undone" if is_new else "is being undone already, and goes on with that"
            case Cancel():
                return "is to be cancelled"
            case Skip():
                return f"does without {self._skipped()}{'' if self._goes_on() else ', once it is resumed'}"
            case Migrate():
                until = self.before.instance.code.version
                paused = ", once it is resumed" if self.before.standing.paused is not None else ""
                return f"goes on with version {self._version()}{paused}; until now it ran on version {until}"
            case _:
                assert_never(self.word)

    def _skipped(self) -> str:
        return next(event.step for event in self.outcome.events if isinstance(event, SagaStepSkipped))

    def _version(self) -> int:
        version = self.word.version if isinstance(self.word, Migrate) else None
        return self.before.saga.version if version is None else version

    def _goes_on(self) -> bool:
        return any(isinstance(event, SagaResumed) for event in self.outcome.events)

    def _stop(self) -> dict[str, Any] | None:
        stopped = self.before.standing.stopped
        if stopped is None:
            return None
        place = {"stream": stopped.stream, "version": stopped.version, "position": stopped.position}
        return {"message_id": stopped.message_id, **place, "error": stopped.error}


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator says to a tenant's instances of a saga, in the store that `data` leads to."""

    data: Path
    saga: Saga[Any, Any]
    word: OperatorWord
    act: Act
    tenant: str
    as_json: bool

    @property
    def verb(self) -> str:
        """As it is called on the command line."""
        return type(self.word).__name__.lower()

    async def say(self, desk: OperatorDesk, stream: str) -> Done:
        """Says it, and logs it where it changed anything. Raises as `OperatorDesk.say`."""
        outcome, before = await desk.say(stream, self.word, request_of(self.act, self.verb, stream))
        done = Done(stream, self.word, outcome, before)
        if done.changed:
            self.act.log(LOGGED[type(self.word)], saga=stream)
        return done


@asynccontextmanager
async def desk_of(saga: Saga[Any, Any], client: CommandClient) -> AsyncIterator[OperatorDesk]:
    """Where words to the saga's instances are said."""
    handler = CommandHandler(client, CODEC)
    try:
        yield OperatorDesk(saga, route, handler, CODEC)
    finally:
        await handler.close()
