"""Finds the messages of a saga that its group never brought to an end, and reacts to them."""

import asyncio
from typing import Final

import structlog
from esdbclient import AsyncEventStoreDBClient, RecordedEvent

from infrastructure.eventstore.client import complete
from infrastructure.eventstore.errors import EventStoreError, RaceLost, StoreUnavailable
from infrastructure.sagas.bookmark import Bookmark, Mark
from infrastructure.sagas.calls import called
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.group import pattern_of
from infrastructure.subscriptions.policy import FailurePolicy, Stop

PAGE: Final = 100
MOST_UNSETTLED: Final = 100
_FAR: Final = 100_000  # positions without a message that it is worth not to read again
_SECONDS: Final = 5.0
_SCAN_SECONDS: Final = 120.0  # for a page: the server looks through the log until it is full
_log: Final = structlog.get_logger(__name__)


class Sweep:
    """Reads a saga's messages from the log, from where all is known to be settled, one at a time and in order.

    A message is settled when the saga's own stream says that nothing of it is pending. One that is not is reacted to,
    which does no harm where a worker is at it just now. What fails is remembered and tried again next time.
    """

    def __init__(self, coordinator: SagaCoordinator, client: AsyncEventStoreDBClient, policy: FailurePolicy) -> None:
        self._coordinator: Final = coordinator
        self._client: Final = client
        self._policy: Final = policy
        self._pattern: Final = pattern_of(coordinator.saga)
        self.bookmark: Final = Bookmark(client, coordinator.saga.category, self._pattern)
        self._log: Final = _log.bind(saga=coordinator.saga.category)

    async def run(self, *, settling: float, every: float) -> None:
        """Sweeps now and every so many seconds, until it is cancelled. Raises what the policy stops at.

        A message has `settling` seconds to be delivered and reacted to in the ordinary way.
        """
        while True:
            try:
                end = await self._end()
                await asyncio.sleep(settling)
                await self.through(end)
            except RaceLost:
                self._log.info("saga_sweep_left", reason="another worker sweeps")
            except EventStoreError as error:
                self._log.warning("saga_sweep_failed", reason=str(error), retry_after=every)
            await asyncio.sleep(every)

    async def through(self, end: int) -> None:
        """Settles what is not settled up to this position of the log.

        Raises RaceLost where another worker sweeps, StoreUnavailable, UnreadableEvent, what the policy stops at.
        """
        mark = await self._again(await self.bookmark.read())
        while len(mark.unsettled) < MOST_UNSETTLED:
            page = await self._page(mark.position, PAGE)
            fresh = [message for message in page if (mark.position or -1) < _position(message) <= end]
            if not fresh:
                await self._skip(mark, end)
                return
            unsettled = [_position(message) for message in fresh if not await self._settle(message)]
            mark = await self.bookmark.move(mark, _position(fresh[-1]), (*mark.unsettled, *unsettled))
        self._log.error("saga_sweep_halted", unsettled=len(mark.unsettled), position=mark.position)

    async def _again(self, mark: Mark) -> Mark:
        """Another try for what was left unsettled."""
        unsettled = tuple([position for position in mark.unsettled if not await self._settled_at(position)])
        return mark if unsettled == mark.unsettled else await self.bookmark.move(mark, mark.position, unsettled)

    async def _settled_at(self, position: int) -> bool:
        page = await self._page(position, 1)
        return not page or _position(page[0]) != position or await self._settle(page[0])

    async def _skip(self, mark: Mark, end: int) -> None:
        """Moves the mark over a part of the log that holds no messages, where that is long."""
        if end - (mark.position or 0) > _FAR:
            await self.bookmark.move(mark, end, mark.unsettled)

    async def _settle(self, delivered: RecordedEvent) -> bool:
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
            self._log.warning("saga_message_unsettled", message=str(delivered.id), error=repr(error))
            return False
        if unsettled:
            self._log.warning("saga_message_recovered", message=str(delivered.id), stream=delivered.stream_name)
        return True

    async def _page(self, first: int | None, limit: int) -> list[RecordedEvent]:
        """The saga's messages from this position on, itself included."""
        async with called(self._client, seconds=_SCAN_SECONDS):
            response = await self._client.read_all(
                commit_position=first, filter_include=(self._pattern,), limit=limit, timeout=_SCAN_SECONDS
            )
            return await complete(self._client, response)

    async def _end(self) -> int:
        """The position of the last event of the log."""
        async with called(self._client, seconds=_SECONDS):
            return await self._client.get_commit_position(filter_exclude=[], timeout=_SECONDS)


def _position(recorded: RecordedEvent) -> int:
    assert recorded.commit_position is not None
    return recorded.commit_position
