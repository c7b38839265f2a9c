"""What operators say to instances of sagas, and what that leaves in an instance's stream: pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias, assert_never

from domain.engine_events import (
    EngineEvent,
    SagaCancelRequested,
    SagaMigrated,
    SagaPaused,
    SagaResumed,
    SagaStepSkipped,
    SagaUndoOrdered,
)
from domain.message import Event
from domain.saga import Ask
from domain.saga_steps import Step, is_named, row_of
from infrastructure.sagas.errors import WordRefused
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.migration import NOT_MIGRATABLE, kept_steps, not_migratable
from infrastructure.sagas.words import Reading


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still; what comes meanwhile waits in order."""

    why: str


@dataclass(frozen=True, slots=True)
class Resume:
    """End a pause."""

    why: str


@dataclass(frozen=True, slots=True)
class Retry:
    """End a stop: try again what failed."""

    why: str


@dataclass(frozen=True, slots=True)
class Compensate:
    """Be undone, as soon as what was asked for is answered."""

    why: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Have cancelled what the instance is for, as a customer would."""

    why: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Ask no longer for this step, which was done by hand; of several of a kind each must be named in full."""

    why: str
    step: str


@dataclass(frozen=True, slots=True)
class Migrate:
    """Go on with this version of the saga, the newest where it is None."""

    why: str
    version: int | None = None


OperatorWord: TypeAlias = Pause | Resume | Retry | Compensate | Cancel | Skip | Migrate
RULES: Final[dict[type[OperatorWord], str]] = {
    Pause: "saga-not-pausable",
    Resume: "saga-not-resumable",
    Retry: "saga-not-retryable",
    Compensate: "saga-not-compensable",
    Cancel: "saga-not-cancellable",
    Skip: "saga-not-skippable",
    Migrate: NOT_MIGRATABLE,
}


def refused(word: OperatorWord, stream: str, fault: str) -> WordRefused:
    """The refusal of a word."""
    return WordRefused(RULES[type(word)], stream, fault)


def decided(word: OperatorWord, reading: Reading, now: datetime) -> Sequence[Event]:
    """What is appended for the word; nothing where it is so already.

    Each word that has the instance go on ends in the event that wakes a worker.

    Raises WordRefused, CodeMissing, and for words that need the state what keeps it from being folded; ValueError for a
    version that there is not.
    """
    match word:
        case Pause():
            return _pause(word, reading)
        case Resume():
            return _resume(word, reading)
        case Retry():
            return _retry(word, reading)
        case Compensate():
            return _compensate(word, reading)
        case Cancel():
            return _cancel(word, reading)
        case Skip():
            return _skip(word, reading, now)
        case Migrate():
            return _migrate(word, reading)
        case _:
            assert_never(word)


def _pause(word: Pause, reading: Reading) -> list[EngineEvent]:
    """One that can't be folded fails at its next message, which may be what the pause is for."""
    if reading.standing.stands_still:
        raise refused(word, reading.stream, "stands still already")
    if reading.fault is None and reading.has_ended:
        raise refused(word, reading.stream, "has ended")
    return [SagaPaused(why=word.why)]


def _resume(word: Resume, reading: Reading) -> list[EngineEvent]:
    if reading.standing.paused is None:
        stopped = reading.standing.stopped is not None
        raise refused(word, reading.stream, "is not paused, it has stopped: retry it" if stopped else "is not paused")
    return [SagaResumed(why=word.why)]


def _retry(word: Retry, reading: Reading) -> list[EngineEvent]:
    if reading.standing.stopped is None:
        paused = reading.standing.paused is not None
        raise refused(word, reading.stream, "has not stopped, it is paused: resume it" if paused else "has not stopped")
    return [SagaResumed(why=word.why)]


def _compensate(word: Compensate, reading: Reading) -> list[EngineEvent]:
    """One that is being undone already, and stands still, goes on."""
    instance = reading.instance
    saga = instance.saga
    if saga.on_compensate is None:
        raise refused(word, reading.stream, "can't be undone: its saga does not say how")
    if reading.has_ended:
        raise refused(word, reading.stream, "has ended")
    if instance.code.version is None:
        raise refused(word, reading.stream, "has not begun")
    if not saga.undoable(instance.state):
        raise refused(word, reading.stream, "is past the point of no return")
    is_new = instance.undo is None and bool(saga.on_compensate(word.why, instance.state))
    ordered = [SagaUndoOrdered(why=word.why)] if is_new else []
    return [*ordered, SagaResumed(why=word.why)] if ordered or reading.standing.stands_still else []


def _cancel(word: Cancel, reading: Reading) -> list[EngineEvent]:
    """Whether it is too late, the target says."""
    if reading.instance.saga.cancels is None:
        raise refused(word, reading.stream, "can't be cancelled: its saga does not say how")
    if reading.instance.code.version is None:
        raise refused(word, reading.stream, "has not begun")
    return [SagaCancelRequested(why=word.why)]


def _skip(word: Skip, reading: Reading, now: datetime) -> list[Event]:
    """One that is paused stays so; one that stopped goes on, since it may have stopped at the step."""
    instance = reading.instance
    ask, left_by_hand = _meant(word, instance)
    facts = left_by_hand(ask.command, instance.state)
    if ask.step in {each.step for each in instance.saga.pending(instance.saga.state_after(instance.state, facts))}:
        raise refused(word, reading.stream, f"would wait for {ask.step} still")
    told: list[Event] = [SagaStepSkipped(step=ask.step, why=word.why), *facts]
    waked = [] if reading.standing.paused is not None else [SagaResumed(why=word.why)]
    return [*told, *instance.notes_beside(told, now), *waked]


def _meant(word: Skip, instance: Instance[Any]) -> tuple[Ask, Callable[[Any, Any], Sequence[Event]]]:
    """The pending step, and what it leaves that was done by hand."""
    meant = [ask for ask in instance.pending if is_named(ask.step, word.step)]
    row = row_of(instance.saga.steps, word.step)
    if meant and (row is None or row.skip_leaves is None or not isinstance(meant[0], Ask)):
        raise refused(word, instance.stream, f"can't go on without an answer to {meant[0].step}")
    match meant, row:
        case [Ask() as ask], Step(skip_leaves=left_by_hand) if left_by_hand is not None:
            return ask, left_by_hand
    pending = ", ".join(ask.step for ask in instance.pending) or "nothing"
    what = "several steps" if meant else "no step"
    raise refused(word, instance.stream, f"has {what} {word.step} to skip; pending: {pending}")


def _migrate(word: Migrate, reading: Reading) -> list[EngineEvent]:
    instance, versions = reading.instance, reading.saga.versions
    number = reading.saga.version if word.version is None else word.version
    if number not in versions:
        raise ValueError(f"there is no version {number} of {reading.saga.category}")
    if instance.code.version is None:
        raise not_migratable(reading.stream, number, "it has not begun: it will on the newest version")
    if instance.code.version == number:
        return []
    kept = kept_steps(instance, reading.asked, versions[number])
    waked = [] if reading.standing.paused is not None else [SagaResumed(why=word.why)]
    return [SagaMigrated(version=number, why=word.why, kept=kept), *waked]
