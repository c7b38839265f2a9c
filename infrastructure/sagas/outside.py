"""Performs the calls of sagas to the outside, each under the id of its command, and knows what it does not know."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.call import Call
from domain.engine_events import SagaCallBegun
from infrastructure.sagas.errors import CallStands, CallUnanswered, CallUnsent, SagaStuck

_MOST: Final = 10_000
Perform = Callable[[Any, UUID], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Performer:
    """What carries out requests of one type, given one and its idempotency key, and gives the answer, a value.

    Both raise CallUnsent where nothing can have been done, and CallUnanswered where it may have been. `look_up` says
    what was answered under that key, None where nothing was done.
    """

    perform: Perform
    look_up: Perform | None = None


class Outside:
    """All performers, by the types of their requests."""

    def __init__(self, performers: Mapping[type[Any], Performer]) -> None:
        self._performers: Final = performers
        self._ended: Final[dict[UUID, bool]] = {}  # the calls that failed here, and whether each was not done for sure

    async def answer(self, call: Call, key: UUID, stream: str, sent: SagaCallBegun | None, now: datetime) -> Any:
        """The answer to the call. `sent` says that it may have been sent before, by whoever had the instance in hand.

        Raises CallUnsent, also while another worker may have it in hand; CallUnanswered where it is to be tried again;
        CallStands; SagaStuck where nobody performs it; what the performer raises.
        """
        performer = self._performers.get(type(call.request))
        if performer is None or (call.unknown == "look up" and performer.look_up is None):
            raise SagaStuck(stream, call.step, f"has nobody to perform or look up {type(call.request).__name__}")
        if sent is not None and not self._ended.get(key, False):
            found = await self._known(call, performer, key, sent, now)
            if found is not None:
                return found
        return await self._performed(call, performer, key)

    async def _known(self, call: Call, performer: Performer, key: UUID, sent: SagaCallBegun, now: datetime) -> Any:
        if key not in self._ended and now < sent.until:
            raise CallUnsent(f"{call.step} may be in hand of another worker until {sent.until}")
        return await self._resolved(call, performer, key, "it was in hand when its worker ended")

    async def _performed(self, call: Call, performer: Performer, key: UUID) -> Any:
        try:
            answer = await _within(call, performer.perform, key)
        except (CallUnsent, CallUnanswered) as error:
            self._end(key, is_unsent=isinstance(error, CallUnsent))
            found = None if isinstance(error, CallUnsent) else await self._resolved(call, performer, key, str(error))
            if found is None:
                raise
            answer = found
        self._ended.pop(key, None)
        return answer

    def _end(self, key: UUID, *, is_unsent: bool) -> None:
        if len(self._ended) >= _MOST:
            self._ended.clear()  # then the others are taken for such as another worker had in hand
        self._ended[key] = is_unsent

    async def _resolved(self, call: Call, performer: Performer, key: UUID, reason: str) -> Any:
        """What was done, as far as it is known; None: nothing that is known of, and it is to be asked again."""
        if call.unknown == "stand":
            raise CallStands(call.step, reason)
        if call.unknown == "look up" and performer.look_up is not None:
            return await _within(call, performer.look_up, key)
        return None


async def _within(call: Call, act: Perform, key: UUID) -> Any:
    try:
        async with asyncio.timeout(call.seconds):
            return await act(call.request, key)
    except TimeoutError as error:
        raise CallUnanswered(f"{call.step} was not answered within {call.seconds} s") from error
