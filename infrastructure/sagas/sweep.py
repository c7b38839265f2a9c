"""Finds the messages of a saga that its group never brought to an end, and reacts to them."""

import asyncio
from typing import Final

import structlog

from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable, WrongExpectedVersion, place_of
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint, SweepCheckpoints
from infrastructure.subscriptions.policy import FailurePolicy, Stop

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

    def __init__(self, coordinator: SagaCoordinator, log: Log, policy: FailurePolicy) -> None:
        self._coordinator: Final = coordinator
        self._policy: Final = policy
        self._pattern: Final = coordinator.pattern
        self._log: Final = log
        self.checkpoints: Final = SweepCheckpoints(coordinator.streams, coordinator.saga.category, self._pattern)
        self._logger: Final = _logger.bind(saga=coordinator.saga.category)

    async def run(self, *, settling: float, every: float) -> None:
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
                self._logger.warning("saga_sweep_failed", reason=str(error), retry_after=every, **place_of(error))
            await asyncio.sleep(every)

    async def through(self, end: int) -> None:
        """Settles what is not settled up to this position of the log.

        Raises WrongExpectedVersion where another worker sweeps, StoreUnavailable, UnreadableEvent, and what the policy
        stops at.
        """
        checkpoint = await self._again(await self._of_this_log(await self.checkpoints.read()))
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

    async def _of_this_log(self, checkpoint: SweepCheckpoint) -> SweepCheckpoint:
        """The checkpoint, or the beginning where the log has another record at its place than it had."""
        if checkpoint.position is None or checkpoint.event_id is None:
            return checkpoint
        found = await self._log.first_from(checkpoint.position)
        if found is not None and (found.position != checkpoint.position or found.id == checkpoint.event_id):
            return checkpoint
        self._logger.warning("saga_sweep_begins_again", position=checkpoint.position)
        return SweepCheckpoint(version=checkpoint.version)

    async def _again(self, checkpoint: SweepCheckpoint) -> SweepCheckpoint:
        """Tries again what was left unsettled."""
        unsettled = tuple([position for position in checkpoint.unsettled if not await self._settled_at(position)])
        if unsettled == checkpoint.unsettled:
            return checkpoint
        return await self.checkpoints.move(checkpoint, checkpoint.position, unsettled, checkpoint.event_id)

    async def _settled_at(self, position: int) -> bool:
        page = await self._page(position, 1)
        return not page or _position(page[0]) != position or await self._settle(page[0])

    async def _skip(self, checkpoint: SweepCheckpoint, end: int) -> None:
        """Moves the checkpoint over a part of the log that holds no messages, where that is long."""
        if end - (checkpoint.position or 0) > _FAR:
            last = await self._log.first_from(end)
            event_id = None if last is None or last.position != end else last.id
            await self.checkpoints.move(checkpoint, end, checkpoint.unsettled, event_id)

    async def _settle(self, delivered: Record) -> bool:
        """Whether the message is settled now."""
        try:
            messages = self._coordinator.messages_in(delivered)
            unsettled = [message for message in messages if not await self._coordinator.is_settled(message)]
            for message in unsettled:
                await self._coordinator.react(message)
        except StoreUnavailable:
            raise
        except Exception as error:
            if isinstance(self._policy(error, 1), Stop):
                raise
            told = {"message": str(delivered.id), "error": repr(error), **place_of(error)}
            self._logger.warning("saga_message_unsettled", **told)
            return False
        if unsettled:
            self._logger.warning("saga_message_recovered", message=str(delivered.id), stream=delivered.stream)
        return True

    async def _page(self, first: int | None, limit: int) -> list[Record]:
        """The saga's messages from this position on, itself included."""
        return await self._log.of_types(self._pattern, first, limit, _SCAN_SECONDS)


def _position(record: Record) -> int:
    assert record.position is not None
    return record.position
