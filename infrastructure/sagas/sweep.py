"""Finds the messages of a saga that its group never brought to an end, and reacts to them."""

import asyncio
from typing import Final

import structlog

from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable, WrongExpectedVersion, place_of
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.outages import Outages
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.failures import HANDLED
from infrastructure.sagas.gate import Gate
from infrastructure.sagas.start_position import StartPosition
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint
from infrastructure.subscriptions.policy import FailurePolicy, LeaveToOthers, Retry

PAGE: Final = 100
MOST_UNSETTLED: Final = 100
_FAR: Final = 100_000  # so many positions without a message are not read again
_SCAN_SECONDS: Final = 120.0  # for a page: the server reads the log until the page is full
_logger: Final = structlog.get_logger(__name__)


class Sweep:
    """Reads a saga's messages from the log one by one, from the position up to which all are known to be settled.

    A message is settled when the saga's own stream says that nothing of it is pending. Others are reacted to,
    which does no harm where a worker is doing the same. What fails is remembered and tried again next time.
    """

    def __init__(
        self,
        coordinator: SagaCoordinator,
        log: Log,
        policy: FailurePolicy,
        outages: Outages | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._coordinator: Final = coordinator
        self._policy: Final = policy
        self._log: Final = log
        self.start: Final = StartPosition(coordinator.saga, coordinator.streams, log)
        self.checkpoints: Final = self.start.checkpoints
        self._pattern: Final = self.start.pattern
        self._outages: Final = outages
        self._gate: Final = gate or Gate()
        self._logger: Final = _logger.bind(saga=coordinator.saga.category)

    async def run(self, settling: float, every: float) -> None:
        """Sweeps now and every so many seconds, until it is cancelled. Raises what the policy stops at.

        A message has `settling` seconds to be delivered and reacted to in the ordinary way.
        """
        while True:
            try:
                end = await self._log.end()
                await asyncio.sleep(settling)
                await self.through(end)
            except WrongExpectedVersion:
                self._logger.info("saga_sweep_left", reason="another worker sweeps")
            except EventStoreError as error:
                if self._outages is None or not self._outages.met(f"sweep of {self._pattern}", error):
                    self._logger.warning("saga_sweep_failed", reason=str(error), retry_after=every, **place_of(error))
            await asyncio.sleep(every)

    async def through(self, end: int) -> None:
        """Settles what is not settled up to this position of the log.

        Raises WrongExpectedVersion where another worker sweeps, StoreUnavailable, UnreadableEvent, and what the policy
        stops at.
        """
        checkpoint = await self._again(await self.start.checkpoint())
        while len(checkpoint.unsettled) < MOST_UNSETTLED:
            page = await self._page(checkpoint.position, PAGE)
            fresh = [message for message in page if (checkpoint.position or -1) < _position(message) <= end]
            if not fresh:
                await self._skip(checkpoint, end)
                return
            unsettled = [_position(message) for message in fresh if not await self._settle(message)]
            left = (*checkpoint.unsettled, *unsettled)
            checkpoint = await self.checkpoints.move(checkpoint, _position(fresh[-1]), left, fresh[-1].id)
        self._logger.error("saga_sweep_halted", unsettled=len(checkpoint.unsettled), position=checkpoint.position)

    async def _again(self, checkpoint: SweepCheckpoint) -> SweepCheckpoint:
        """Tries again what was left unsettled."""
        unsettled = tuple([position for position in checkpoint.unsettled if not await self._settled_at(position)])
        if unsettled == checkpoint.unsettled:
            return checkpoint
        return await self.checkpoints.move(checkpoint, checkpoint.position, unsettled, checkpoint.event_id)

    async def _settled_at(self, position: int) -> bool:
        page = await self._page(position, 1)
        return not page or _position(page[0]) != position or await self._settle(page[0], failures=HANDLED)

    async def _skip(self, checkpoint: SweepCheckpoint, end: int) -> None:
        """Moves the checkpoint over a part of the log that holds no messages, where that is long."""
        if end - (checkpoint.position or 0) > _FAR:
            last = await self._log.first_from(end)
            event_id = None if last is None or last.position != end else last.id
            await self.checkpoints.move(checkpoint, end, checkpoint.unsettled, event_id)

    async def _settle(self, delivered: Record, failures: int = 1) -> bool:
        """Whether the message is settled now, or waits for its instance; a failure is met the `failures`th time."""
        try:
            messages = self._coordinator.messages_in(delivered)
            unsettled = [message for message in messages if not await self._coordinator.is_settled(message)]
            for message in unsettled:
                async with self._gate.shared():
                    await self._coordinator.react(message)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - an unknown error stops the instance, not the worker
            reaction = self._policy(error, failures)
            if not isinstance(reaction, Retry | LeaveToOthers) and await self._stopped(delivered, reaction.reason):
                return True
            told = {"message": str(delivered.id), "error": repr(error), **place_of(error)}
            self._logger.warning("saga_message_unsettled", **told)
            return False
        if unsettled:
            self._logger.warning("saga_message_recovered", message=str(delivered.id), stream=delivered.stream)
        return True

    async def _stopped(self, delivered: Record, reason: str) -> bool:
        """Whether the instances that the message concerns stand still now; not where they can't be told."""
        try:
            for message in self._coordinator.messages_in(delivered):
                await self._coordinator.stop(message, reason)
        except StoreUnavailable:
            raise
        except EventStoreError:
            return False
        return True

    async def _page(self, first: int | None, limit: int) -> list[Record]:
        """The saga's messages from this position on, itself included."""
        return await self._log.of_types(self._pattern, first, limit, _SCAN_SECONDS)


def _position(record: Record) -> int:
    assert record.position is not None
    return record.position
