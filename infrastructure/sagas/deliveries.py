"""The messages that one worker has in hand: several at once, but one for each instance of the saga."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from domain.message import Recorded
from infrastructure.eventstore.errors import place_of
from infrastructure.eventstore.persistent_subscription import Delivered, PersistentSubscription
from infrastructure.outages import Outages
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.failures import after_failure
from infrastructure.subscriptions.policy import FailurePolicy, Park, Retry, Stop

_logger: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How much a worker does at once, what it does after a failure, and how many seconds it takes to stop.

    Every `sweep_every` seconds it looks for messages that its group has not brought to an end within `settling`.
    `outages` is what its process finds of the event store.
    """

    concurrency: int = 16
    policy: FailurePolicy = after_failure
    grace: float = 10.0
    settling: float = 20.0
    sweep_every: float = 300.0
    outages: Outages = field(default_factory=Outages, compare=False)


class Deliveries:
    """Reacts to messages and settles each: acknowledged after `react` returned, parked, or left to be sent again.

    `failure` is set when the policy says that the worker must stop; the message is then given back.
    """

    def __init__(
        self,
        subscription: PersistentSubscription,
        coordinator: SagaCoordinator,
        options: ConsumerOptions,
    ) -> None:
        self.failure: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._subscription: Final = subscription
        self._coordinator: Final = coordinator
        self._options: Final = options
        self._slots: Final = asyncio.Semaphore(options.concurrency)
        self._instances: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()
        self._in_hand: Final[dict[UUID, asyncio.Task[None]]] = {}
        self._reacting: Final[set[asyncio.Task[None]]] = set()
        self._finishing = False

    def start(self, delivered: Delivered) -> None:
        """Takes a message in hand. The server bounds their number by the subscription's buffer.

        One that is in hand already comes again where it took longer than the server waits; it is acknowledged once.
        """
        if self._finishing or delivered.ack_id in self._in_hand:
            return
        task = asyncio.create_task(self._settle(delivered), name=f"settle {delivered.record.id}")
        self._in_hand[delivered.ack_id] = task
        task.add_done_callback(partial(self._ended, delivered.ack_id))

    async def finish(self) -> None:
        """Waits for the reactions under way, within the grace; gives the other messages back, and takes no more."""
        self._finishing = True
        self._cancel(set(self._in_hand.values()) - self._reacting)
        if self._reacting:
            await asyncio.wait(self._reacting, timeout=self._options.grace)

    async def abandon(self) -> None:
        """Cancels everything; what was not acknowledged is delivered again."""
        tasks = set(self._in_hand.values())
        self._cancel(tasks)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self, delivered: Delivered) -> None:
        failures: Counter[type[Exception]] = Counter()
        while not self._finishing:
            try:
                await self._react(delivered)
            except Exception as error:
                failures[type(error)] += 1
                reaction = self._options.policy(error, failures[type(error)])
                if isinstance(reaction, Stop):
                    _logger.error("saga_message_stops_worker", reason=reaction.reason, **_described(delivered, error))
                    raise
                if isinstance(reaction, Park):
                    await self._park(delivered, error, reaction.reason)
                    return
                await self._pause(delivered, error, reaction)
            else:
                self._options.outages.succeeded(self._coordinator.saga.category)
                return

    async def _react(self, delivered: Delivered) -> None:
        """Reacts to each event of the record in turn; the record is acknowledged with the last one."""
        messages = self._coordinator.messages_in(delivered.record)
        for message in messages[:-1]:
            await self._react_to(message, None)
        if messages:
            await self._react_to(messages[-1], delivered)
        else:
            await self._acknowledge(delivered)

    async def _react_to(self, message: Recorded[Any], delivered: Delivered | None) -> None:
        stream = self._coordinator.stream_of(message)
        instance = self._instances.setdefault(stream, asyncio.Lock())
        async with instance, self._slots, self._marked_as_reacting():
            began = time.perf_counter()
            await self._coordinator.react(message)
            if delivered is not None:
                await self._acknowledge(delivered)
        seconds = round(time.perf_counter() - began, 3)
        _logger.info("saga_message_handled", message=str(message.id), saga=stream, seconds=seconds)

    @asynccontextmanager
    async def _marked_as_reacting(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._reacting.add(task)
        try:
            yield
        finally:
            self._reacting.discard(task)

    async def _acknowledge(self, delivered: Delivered) -> None:
        if not await self._subscription.acknowledge(delivered):
            _logger.info("saga_acknowledgement_lost", message=str(delivered.record.id))

    async def _park(self, delivered: Delivered, error: Exception, reason: str) -> None:
        _logger.error("saga_message_parked", reason=reason, **_described(delivered, error))
        if not await self._subscription.park(delivered):
            _logger.info("saga_acknowledgement_lost", message=str(delivered.record.id))

    async def _pause(self, delivered: Delivered, error: Exception, retry: Retry) -> None:
        if not self._options.outages.failed(self._coordinator.saga.category, error):
            told = _described(delivered, error)
            _logger.warning("saga_message_failed", error=repr(error), retry_after=retry.after, **told)
        await asyncio.sleep(retry.after)

    def _ended(self, message_id: UUID, task: asyncio.Task[None]) -> None:
        del self._in_hand[message_id]
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failure.done():
            self.failure.set_exception(error)

    @staticmethod
    def _cancel(tasks: set[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()


def _described(delivered: Delivered, error: Exception) -> dict[str, str | int | None]:
    """The message, and where the failure is: at the event that can't be read, else at the message itself."""
    record = delivered.record
    place: dict[str, str | int | None] = {
        "stream": record.stream,
        "version": record.version,
        "position": record.position,
    }
    return {"message": str(record.id), **place, **place_of(error)}
