"""Whether an instance of a saga goes on, and which messages wait for it: folded from what the engine noted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, assert_never

from domain.engine_events import (
    EngineEvent,
    SagaCallBegun,
    SagaCancelRequested,
    SagaDeadlineEnded,
    SagaDeadlinePassed,
    SagaDeadlineSet,
    SagaMarked,
    SagaMessageAttempted,
    SagaMessageLate,
    SagaMessageParked,
    SagaMessageTaken,
    SagaMessageWaiting,
    SagaMigrated,
    SagaPaused,
    SagaResumed,
    SagaSignalled,
    SagaSignalTaken,
    SagaStepSkipped,
    SagaStopped,
    SagaUndoOrdered,
    SagaUndoTaken,
    SagaVersionSet,
)


class MessagePlace(NamedTuple):
    """Where in the log a message lies; they sort in log order."""

    position: int
    stream: str
    version: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """`stopped` says at what it stands still, `paused` that an operator has it stand still; both None: it goes on.

    `waiting` is to be taken first, in this order.
    `attempts` counts for messages that came again how often they were in hand since.
    """

    stopped: SagaStopped | None = None
    waiting: tuple[MessagePlace, ...] = ()
    attempts: Mapping[str, int] = field(default_factory=dict)
    paused: SagaPaused | None = None

    @property
    def stands_still(self) -> bool:
        """Whether messages and deadlines wait."""
        return self.stopped is not None or self.paused is not None

    @property
    def is_clear(self) -> bool:
        """Whether the engine has nothing to remember of the instance."""
        return self == Standing()

    def holds(self, message_id: str) -> bool:
        """Whether this message waits."""
        return any(place.message_id == message_id for place in self.waiting)


def evolve(standing: Standing, event: EngineEvent) -> Standing:
    """The standing after what was noted."""
    match event:
        case SagaStopped():
            return replace(standing, stopped=event, waiting=_with(standing.waiting, event))
        case SagaMessageWaiting():
            return replace(standing, waiting=_with(standing.waiting, event))
        case SagaPaused():
            return replace(standing, paused=event)
        case SagaResumed():
            return replace(standing, stopped=None, paused=None, attempts={})
        case SagaMessageAttempted():
            known = standing.attempts.get(event.message_id, 0)
            return replace(standing, attempts={**standing.attempts, event.message_id: known + 1})
        case SagaMessageTaken():
            attempts = {key: number for key, number in standing.attempts.items() if key != event.message_id}
            waiting = tuple(place for place in standing.waiting if place.message_id != event.message_id)
            return replace(standing, waiting=waiting, attempts=attempts)
        case (
            SagaMessageParked()
            | SagaMessageLate()
            | SagaVersionSet()
            | SagaMarked()
            | SagaMigrated()
            | SagaDeadlineSet()
            | SagaDeadlineEnded()
            | SagaDeadlinePassed()
            | SagaSignalled()
            | SagaSignalTaken()
            | SagaCallBegun()
            | SagaUndoOrdered()
            | SagaUndoTaken()
            | SagaCancelRequested()
            | SagaStepSkipped()
        ):
            return standing
        case _:
            assert_never(event)


def _with(waiting: tuple[MessagePlace, ...], event: SagaStopped | SagaMessageWaiting) -> tuple[MessagePlace, ...]:
    place = MessagePlace(event.position, event.stream, event.version, event.message_id)
    return tuple(sorted({*waiting, place}))
