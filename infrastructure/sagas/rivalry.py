"""Appends to an instance's stream beside others that do the same: who comes second looks again, and decides anew."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import stamina

from infrastructure.eventstore.errors import ConcurrencyConflict, WrongExpectedVersion

_ATTEMPTS: Final = 10
_retrying: Final = stamina.AsyncRetryingCaller(
    attempts=_ATTEMPTS, timeout=None, wait_initial=0.005, wait_max=0.5, wait_jitter=0.04
)
T = TypeVar("T")


async def repeatedly(stream: str, act: Callable[..., Awaitable[T]], *told: Any) -> T:
    """Acts again, on what the stream holds then, as often as somebody else was faster. Raises ConcurrencyConflict."""
    try:
        return await _retrying(WrongExpectedVersion, act, *told)
    except WrongExpectedVersion as error:
        raise ConcurrencyConflict(stream, _ATTEMPTS) from error
