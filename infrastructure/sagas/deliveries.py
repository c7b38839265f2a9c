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
from infrastructure.commands.circuit import Circuit
from infrastructure.eventstore.errors import EventStoreError, Overloaded, StoreUnavailable, place_of
from infrastructure.eventstore.persistent_subscription import Delivered, PersistentSubscription
from infrastructure.outages import Outages
from infrastructure.sagas.attempts import Attempts
from infrastructure.sagas.coordinator import SagaCoordinator
from infrastructure.sagas.failures import TRANSIENT, after_failure
from infrastructure.sagas.gate import Gate
from infrastructure.sagas.handover import Handover
from infrastructure.sagas.message_span import message_span
from infrastructure.subscriptions.policy import FailurePolicy, LeaveToOthers, Reaction, Retry

_logger: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """How much a worker does at once, what it does after a failure, and how many seconds it takes to stop.

    Every `sweep_every` seconds it looks for messages that its group has not brought to an end within `settling`.
    `outages` is what its process finds of the event store; `gate` is what all that it handles passes; `joined` are the
    sagas whose messages it is given now, `attempts` what it has noted of those that came again. With a `circuit` all
    of them wait together for a store that is away, and one probe finds out when it is back.
    """

    concurrency: int = 16
    policy: FailurePolicy = after_failure
    grace: float = 10.0
    settling: float = 20.0
    sweep_every: float = 300.0
    outages: Outages = field(default_factory=Outages, compare=False)
    gate: Gate = field(default_factory=Gate, compare=False)
    joined: set[str] = field(default_factory=set, compare=False)
    attempts: Attempts = field(default_factory=Attempts, compare=False)
    circuit: Circuit | None = field(default=None, compare=False)

    def suspect(self, error: Exception) -> None:
        """Has the store probed where this error says that it is away."""
        is_away = isinstance(error, Overloaded) or (isinstance(error, StoreUnavailable) and error.is_away)
        if self.circuit is not None and is_away:
            self.circuit.suspect()

    async def until_store_is_there(self) -> None:
        """Returns at once where nobody suspects the store, else once a probe has succeeded."""
        if self.circuit is not None:
            await self.circuit.until_closed()


class Deliveries:
    """Reacts to messages and settles each: acknowledged after `react` returned or its instance was stopped, or left.

    A message whose instance can't be told, or whose stream takes no note, is parked. `failure` is set at an error of
    the engine's own; the message is then given back. What lies at position `begin` or before is not for the saga: it
    is acknowledged, and nothing is done. A message that came again and was in hand twice is handled alone.
    """

    def __init__(
        self,
        subscription: PersistentSubscription,
        coordinator: SagaCoordinator,
        options: ConsumerOptions,
        begin: int | None = None,
    ) -> None:
        self.failure: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._subscription: Final = subscription
        self._coordinator: Final = coordinator
        self._handover: Final = Handover(subscription, coordinator)
        self._options: Final = options
        self._begin: Final = -1 if begin is None else begin
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
            await self._options.until_store_is_there()
            try:
                await self._react(delivered)
            except Exception as error:  # noqa: BLE001 - an unknown error stops the instance, not the worker
                failures[type(error)] += 1
                if await self._ended_by(delivered, error, self._options.policy(error, failures[type(error)])):
                    return
            else:
                self._options.outages.succeeded(self._coordinator.saga.category)
                return

    async def _ended_by(self, delivered: Delivered, error: Exception, reaction: Reaction) -> bool:
        """Does what follows from a failure; whether the message is out of hand then."""
        match reaction:
            case Retry():
                await self._pause(delivered, error, reaction)
                return False
            case LeaveToOthers():
                await self._handover.leave(delivered, error, reaction)
                return True
            case _:
                return await self._set_aside(delivered, error, reaction.reason)

    async def _react(self, delivered: Delivered) -> None:
        """Reacts to each event of the record in turn; the record is acknowledged with the last one."""
        is_ours = (delivered.record.position or 0) > self._begin
        messages = self._coordinator.messages_in(delivered.record) if is_ours else []
        for number, message in enumerate(messages, 1):
            await self._react_to(message, delivered, is_last=number == len(messages))
        if not messages:
            await self._acknowledge(delivered)

    async def _react_to(self, message: Recorded[Any], delivered: Delivered, *, is_last: bool) -> None:
        stream = self._coordinator.stream_of(message)
        instance = self._instances.setdefault(stream, asyncio.Lock())
        async with instance, self._slots, self._marked_as_reacting():
            with message_span(self._coordinator.saga.category, stream, message):
                began = time.perf_counter()
                await (self._try_again(message) if delivered.retries else self._try(message))
                _logger.info("saga_message_handled", **_handled(message, stream, began))
                if is_last:
                    await self._acknowledge(delivered)

    async def _try(self, message: Recorded[Any]) -> None:
        async with self._options.gate.shared():
            await self._coordinator.react(message)

    async def _try_again(self, message: Recorded[Any]) -> None:
        """A process may have ended with it in hand: each attempt is noted, the second and later ones are alone."""
        async with self._options.attempts.attempt(self._coordinator, message, self._options.gate) as may_react:
            if may_react:
                await self._coordinator.react(message)

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

    async def _set_aside(self, delivered: Delivered, error: Exception, reason: str) -> bool:
        """Whether the instances that the message concerns stand still now, or it is parked since they can't."""
        try:
            for message in self._coordinator.messages_in(delivered.record):
                await self._coordinator.stop(message, reason)
                self._options.attempts.forget(self._coordinator, message)
        except EventStoreError as failed:
            reaction = self._options.policy(failed, 1)
            if isinstance(failed, TRANSIENT) and isinstance(reaction, Retry):
                await self._pause(delivered, failed, reaction)
                return False
            await self._park(delivered, error, reason)
        else:
            _logger.error("saga_message_set_aside", reason=reason, **_described(delivered, error))
            await self._acknowledge(delivered)
        return True

    async def _park(self, delivered: Delivered, error: Exception, reason: str) -> None:
        _logger.error("saga_message_parked", reason=reason, **_described(delivered, error))
        if not await self._subscription.park(delivered, reason):
            _logger.info("saga_acknowledgement_lost", message=str(delivered.record.id))

    async def _pause(self, delivered: Delivered, error: Exception, retry: Retry) -> None:
        self._options.suspect(error)
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


def _handled(message: Recorded[Any], stream: str, began: float) -> dict[str, str | float]:
    """The canonical line of a message: what, for which instance, within which correlation, and for how long."""
    return {
        "message": str(message.id),
        "type": message.event.stored_name,
        "saga": stream,
        "correlation_id": str(message.metadata.correlation_id),
        "seconds": round(time.perf_counter() - began, 3),
    }


def _described(delivered: Delivered, error: Exception) -> dict[str, str | int | None]:
    """The message, and where the failure is: at the event that can't be read, else at the message itself."""
    record = delivered.record
    place: dict[str, str | int | None] = {
        "stream": record.stream,
        "version": record.version,
        "position": record.position,
    }
    return {"message": str(record.id), **place, **place_of(error)}
