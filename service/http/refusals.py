"""Maps the errors of every layer to problems: the only place that knows both."""

from typing import Any

from domain.errors import DomainError, Rejected
from infrastructure.eventstore.errors import (
    CommandIdReused,
    ConcurrencyConflict,
    EventStoreError,
    EventTooLarge,
    Overloaded,
    StoreUnavailable,
    StreamGone,
    UnknownEventType,
    UnknownEventVersion,
    UnreadableEvent,
    VersionMismatch,
)
from infrastructure.history.errors import (
    CORRELATION_IDS,
    HistoryError,
    NothingTraced,
    OutOfReach,
    UnknownCategory,
    UnknownStream,
)
from infrastructure.readmodels.errors import ForeignPosition, ReadModelBehind, ReadModelError, ReadModelUnavailable
from infrastructure.sagas.errors import SagaError, UnknownInstance, UnknownSignal, WordRefused
from infrastructure.views.errors import UnknownView, ViewIsPast
from service.http import tokens
from service.http.problems import Fault, Problem, malformed, shortened


def problem_of(error: DomainError | EventStoreError | ReadModelError | SagaError | Problem) -> Problem:
    """The problem for this error. An error that callers can do nothing about is raised again."""
    match error:
        case Problem():
            return error
        case Rejected(rule="malformed"):
            return malformed([Fault(pointer="", reason=error.detail)])
        case DomainError():
            return Problem(error.rule, error.detail)
        case EventStoreError():
            return _of_the_store(error)
        case ReadModelError():
            return _of_a_read_model(error)
        case SagaError():
            return _of_a_saga(error)


def store_unavailable(what: str) -> Problem:
    """The problem for a command whose outcome is unknown, and what its caller may do."""
    advice = "Whether it took effect is not known; sent again under the same Idempotency-Key it takes effect once."
    return Problem("store-unavailable", f"{what} {advice}")


def problem_of_history(error: HistoryError | EventStoreError) -> Problem:
    """The problem for an error in looking back. An error that callers can do nothing about is raised again."""
    match error:
        case UnknownStream():
            return Problem("unknown-stream", f"There is no stream {error.stream}{_after(error.hint)}.")
        case UnknownCategory():
            known = ", ".join(error.known)
            return Problem("unknown-category", f"{error.stream} has no history here; these have one: {known}.")
        case OutOfReach():
            return Problem("out-of-reach", f"{error.stream} {error.reason}.")
        case NothingTraced():
            bounds = "as far as was looked; `limit` and `from` say how far"
            return Problem(
                "unknown-correlation-id",
                f"No event carries {error.correlation_id}, {bounds}{_after(error.hint)}; {CORRELATION_IDS}.",
            )
        case StoreUnavailable():
            return Problem("store-unavailable", "The event store can't be used at present.")
        case StreamGone():
            return Problem("stream-gone", f"{error.stream} was deleted for good.")
        case UnknownEventType() | UnknownEventVersion() | UnreadableEvent():
            return _of_an_event(error)
        case _:
            raise error


def _after(hint: str) -> str:
    return f"; {hint}" if hint else ""


def _of_an_event(error: UnknownEventType | UnknownEventVersion | UnreadableEvent) -> Problem:
    return Problem(
        "unreadable-event",
        f"This release can't read {error.stream} at version {error.version}.",
        stream=error.stream,
        version=error.version,
        position=tokens.write_number(error.position),
    )


def _of_the_store(error: EventStoreError) -> Problem:
    match error:
        case UnknownEventType() | UnknownEventVersion() | UnreadableEvent():
            return _of_an_event(error)
        case StoreUnavailable():
            return store_unavailable("The event store can't be used at present.")
        case Overloaded():
            return Problem("overloaded", f"{error.waiting} others wait to be written; come back later.")
        case ConcurrencyConflict():
            return Problem("conflict", f"Others changed it {error.attempts} times meanwhile; try again.")
        case VersionMismatch():
            current = "there is none yet" if error.current is None else f"it is {error.current}"
            return Problem("version-mismatch", f"The version that If-Match names is not the present one: {current}.")
        case EventTooLarge():
            return Problem("event-too-large", "The events that it makes are larger than the event store takes.")
        case CommandIdReused():
            return Problem("idempotency-key-reused", "Under this Idempotency-Key something else was asked before.")
        case _:
            raise error


def _of_a_saga(error: SagaError) -> Problem:
    match error:
        case UnknownInstance():
            return Problem("unknown-saga", f"There is no {error.stream}: no message has come for it.")
        case UnknownSignal():
            known = ", ".join(error.known) or "none"
            return Problem(
                "unknown-signal", f"{error.stream} knows no signal {shortened(error.name)}; there is {known}."
            )
        case WordRefused():
            return Problem(error.rule, f"{error.stream} {error.fault}.")
        case _:
            raise error


def _of_a_read_model(error: ReadModelError) -> Problem:
    match error:
        case ReadModelBehind():
            return _of_one_behind(error)
        case ForeignPosition():
            advice = "Ask without it, or with one that was given out since."
            return Problem("foreign-position", f"The position is none of this log: {error.reason}. {advice}")
        case UnknownView():
            return Problem(
                "unknown-view", f"There is no view {error.name} of {error.projection}{_after(error.reason)}."
            )
        case ViewIsPast():
            return Problem(
                "view-is-past",
                f"The view {error.name} of {error.projection} ends before that position, and never comes further.",
                position=tokens.write(error.position),
                at_least=tokens.write(error.at_least),
            )
        case ReadModelUnavailable(other_version=True):
            return Problem("read-model-unavailable", f"{error.projection} can't be read at present: {error.reason}.")
        case ReadModelUnavailable():
            return Problem("read-model-unavailable", f"{error.projection} can't be read at present.")
        case _:
            raise error


def _of_one_behind(error: ReadModelBehind) -> Problem:
    members: dict[str, Any] = {"position": tokens.write(error.position)}
    if error.at_least is not None:
        members["at_least"] = tokens.write(error.at_least)
    if error.stream is None:
        return Problem("read-model-behind", f"{error.projection} has not come as far as it was asked to.", **members)
    said = f"{error.projection} can't fold {error.stream} at version {error.version}; what comes after it waits."
    return Problem("read-model-behind", said, **members, stream=error.stream, version=error.version)
