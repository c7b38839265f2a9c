"""What a saga's consumer does after a failure."""

from typing import Final

from domain.errors import DomainError
from infrastructure.eventstore.errors import ConcurrencyConflict, EventStoreError, Overloaded, StoreUnavailable
from infrastructure.sagas.errors import SagaError
from infrastructure.subscriptions.policy import Park, Reaction, Retry, Stop, back_off

HANDLED: Final = 8
"""How often one kind of failure is met before the message is parked: for some ten seconds."""


def after_failure(error: Exception, failures: int) -> Reaction:
    """Waits for a store that is away or contended for as long as it takes, parks what keeps failing, stops at a bug."""
    match error:
        case StoreUnavailable() | Overloaded() | ConcurrencyConflict():
            return Retry(back_off(failures, longest=5.0))
        case DomainError() | EventStoreError() | SagaError():
            return Retry(back_off(failures)) if failures < HANDLED else Park(f"{type(error).__name__}: {error}")
        case _:
            return Stop(f"{type(error).__name__}: {error}")
