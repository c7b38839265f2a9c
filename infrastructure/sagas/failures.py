"""What a saga's consumer does after a failure."""

from random import uniform
from typing import Final

from domain.errors import DomainError
from infrastructure.eventstore.errors import ConcurrencyConflict, EventStoreError, Overloaded, StoreUnavailable
from infrastructure.sagas.errors import (
    CallStands,
    CallUnsent,
    CodeMissing,
    SagaError,
    StepExhausted,
    StepRefused,
)
from infrastructure.subscriptions.policy import LeaveToOthers, Reaction, Retry, Stop, back_off

TRANSIENT: Final = (StoreUnavailable, Overloaded, ConcurrencyConflict)
"""What is waited out."""
HANDLED: Final = 8
"""How often one kind of failure is met before the instance stops: for some ten seconds."""
_PATIENCE: Final = 0.2  # seconds, doubled each time that it comes again


def after_failure(error: Exception, failures: int) -> Reaction:
    """Waits for a store or an outside that is away as long as it takes; stops at what keeps failing, and at a bug.

    An instance whose code this build lacks is left to workers of a build that has it.
    A step whose saga says how often it is tried was counted there.
    """
    match error:
        case StoreUnavailable() | Overloaded() | ConcurrencyConflict():
            return Retry(back_off(failures, longest=5.0))
        case CodeMissing():
            return LeaveToOthers(_PATIENCE)
        case StepRefused():
            return Retry(error.after.total_seconds() * uniform(0.75, 1.25))
        case StepExhausted():
            return Stop(str(error))
        case CallUnsent():
            return Retry(back_off(failures, longest=30.0))
        case CallStands():
            return Stop(f"{type(error).__name__}: {error}")
        case DomainError() | EventStoreError() | SagaError():
            return Retry(back_off(failures)) if failures < HANDLED else Stop(f"{type(error).__name__}: {error}")
        case _:
            return Stop(f"{type(error).__name__}: {error}")
