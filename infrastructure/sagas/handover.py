"""Leaves messages of instances whose code this build lacks to workers that have it."""

import asyncio
from typing import Final

import structlog

from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.persistent_subscription import Delivered, PersistentSubscription
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.subscriptions.policy import LeaveToOthers

MOST_GIVEN_BACK: Final = 5
"""A message is given back so often. Then no worker here seems to have the code, and it waits in its stream."""
_logger: Final = structlog.get_logger(__name__)


class Handover:
    """While releases run side by side, the next worker in turn may have the code, so the message is given back.

    Where it came back again and again, it would only keep others from being delivered: it is noted as waiting in its
    instance's stream and acknowledged. The sweep of this build leaves it unsettled; that of one that has the code finds
    it, or the next message of the instance takes it along. No operator is needed.
    """

    def __init__(self, subscription: PersistentSubscription, coordinator: SagaCoordinator) -> None:
        self._subscription: Final = subscription
        self._coordinator: Final = coordinator

    async def leave(self, delivered: Delivered, error: Exception, reaction: LeaveToOthers) -> None:
        """Gives it back after a pause that grows each time, or has it wait."""
        told = {"message": str(delivered.record.id), "reason": str(error), "retries": delivered.retries}
        if delivered.retries >= MOST_GIVEN_BACK and await self._has_it_wait(delivered):
            _logger.warning("saga_message_waits_for_code", **told)
            await self._subscription.acknowledge(delivered)
            return
        _logger.info("saga_message_left", **told)
        await asyncio.sleep(reaction.after * 2 ** min(delivered.retries, MOST_GIVEN_BACK))
        await self._subscription.give_back(delivered)

    async def _has_it_wait(self, delivered: Delivered) -> bool:
        """Whether that is noted; not where the store takes no note now."""
        try:
            for message in self._coordinator.messages_in(delivered.record):
                await self._coordinator.wait(message)
        except EventStoreError:
            return False
        return True
