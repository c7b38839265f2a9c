"""Which messages that came again a process has noted as in hand: an attempt that it survives does not count."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

import structlog

from domain.message import Recorded
from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable, place_of
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.gate import Gate

_Key: TypeAlias = tuple[str, UUID]
"""A saga and a message: several sagas may react to one."""
_logger: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Noted:
    """A message whose attempt is noted, by which coordinator, and whether it is handled alone."""

    coordinator: SagaCoordinator
    message: Recorded[Any]
    is_alone: bool


class Attempts:
    """What one process has noted.

    It notes an attempt once, however often it tries: a store that is away, or a step that is refused for hours, ends no
    process. What it leaves unfinished is taken back, so that the next one counts anew.
    """

    def __init__(self) -> None:
        self._noted: Final[dict[_Key, _Noted]] = {}
        self._in_hand: Final[set[_Key]] = set()

    @asynccontextmanager
    async def attempt(self, coordinator: SagaCoordinator, message: Recorded[Any], gate: Gate) -> AsyncIterator[bool]:
        """A block that handles a message which came again; whether it may. Raises as `SagaCoordinator.attempt`.

        A process may have ended with it in hand: then it is alone.
        """
        key = _key(coordinator, message)
        noted = self._noted.get(key)
        is_alone = await coordinator.attempts(message) > 0 if noted is None else noted.is_alone
        async with gate.alone() if is_alone else gate.shared():
            if noted is None and not await coordinator.attempt(message):
                yield False
                return
            self._noted[key] = _Noted(coordinator, message, is_alone)
            self._in_hand.add(key)
            try:
                yield True
                await coordinator.attempted(message)
            finally:
                self._in_hand.discard(key)
            self.forget(coordinator, message)

    def forget(self, coordinator: SagaCoordinator, message: Recorded[Any]) -> None:
        """Nothing is to be taken back of a message that is out of hand, as where its instance has stopped at it."""
        self._noted.pop(_key(coordinator, message), None)

    async def take_back(self, coordinator: SagaCoordinator) -> None:
        """Notes that the process has not ended with any message of this saga that it let go of.

        Raises StoreUnavailable; what is not taken back then is so the next time.
        """
        left = [noted for key, noted in self._noted.items() if key not in self._in_hand]
        for noted in [noted for noted in left if noted.coordinator is coordinator]:
            try:
                await coordinator.attempted(noted.message)
            except StoreUnavailable:
                raise
            except EventStoreError as error:
                told = {"message": str(noted.message.id), "reason": str(error)}
                _logger.warning("saga_attempt_stands", **told, **place_of(error))
            self.forget(coordinator, noted.message)


def _key(coordinator: SagaCoordinator, message: Recorded[Any]) -> _Key:
    return coordinator.saga.category, message.id
