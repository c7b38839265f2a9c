"""The border where the errors of every layer become problems: the only place that knows both."""

from domain.errors import DomainError, Rejected
from infrastructure.eventstore.errors import (
    CommandIdReused,
    ConcurrencyConflict,
    EventStoreError,
    StoreUnavailable,
    VersionMismatch,
)
from infrastructure.readmodels.errors import ReadModelBehind, ReadModelError, ReadModelUnavailable
from service.http import tokens
from service.http.problems import Fault, Problem, malformed


def problem_of(error: DomainError | EventStoreError | ReadModelError | Problem) -> Problem:
    """The problem that tells a caller of this error. An error that callers can do nothing about is raised again."""
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


def store_unavailable(what: str) -> Problem:
    """A command without an answer, and what its caller may do about that."""
    advice = "Whether it took effect is not known; sent again under the same Idempotency-Key it takes effect once."
    return Problem("store-unavailable", f"{what} {advice}")


def _of_the_store(error: EventStoreError) -> Problem:
    match error:
        case StoreUnavailable():
            return store_unavailable("The event store can't be used at present.")
        case ConcurrencyConflict():
            return Problem("conflict", f"Others changed it {error.attempts} times meanwhile; try again.")
        case VersionMismatch():
            current = "there is none yet" if error.current is None else f"it is {error.current}"
            return Problem("version-mismatch", f"The version that If-Match names is not the present one: {current}.")
        case CommandIdReused():
            return Problem("idempotency-key-reused", "Under this Idempotency-Key something else was asked before.")
        case _:
            raise error


def _of_a_read_model(error: ReadModelError) -> Problem:
    match error:
        case ReadModelBehind():
            return Problem(
                "read-model-behind",
                f"{error.projection} has not come as far as it was asked to.",
                position=tokens.write(error.position),
                at_least=tokens.write(error.at_least),
            )
        case ReadModelUnavailable():
            return Problem("read-model-unavailable", f"{error.projection} can't be read at present.")
        case _:
            raise error
