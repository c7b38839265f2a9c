"""The connection of a consumer to a group: what was delivered to it and not sent yet."""

import asyncio
from collections import deque
from collections.abc import Iterator

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.statistics import RateCounter

# One write: large enough to be cheap, small enough not to keep others waiting.
BATCH_BYTES = 64 * 1024
OVERHEAD_BYTES = 500


class ConsumerConnection:
    """Holds no more than the consumer has slots: messages that expired meanwhile are left out."""

    def __init__(self, consumer: Consumer, now: float) -> None:
        self.consumer, self.rate = consumer, RateCounter(now)
        self._outbox: deque[Message] = deque()
        self._dropped: Exception | None = None
        self._news = asyncio.Event()

    def put(self, message: Message) -> None:
        if len(self._outbox) >= self.consumer.slots:
            self._outbox = deque(filter(self._is_open, self._outbox))
        self._outbox.append(message)
        self._news.set()

    def drop(self, error: Exception) -> None:
        """No more will come, whatever is still to be sent."""
        self._dropped = error
        self._news.set()

    async def next_batch(self) -> list[Message]:
        """Some messages, as soon as there is one; raises what the connection was dropped with."""
        batch: list[Message] = []
        while not batch:
            await self._news.wait()
            if self._dropped:
                raise self._dropped
            batch = list(filter(self._is_open, self._taken()))
        return batch

    def _taken(self) -> Iterator[Message]:
        size = 0
        while self._outbox and size < BATCH_BYTES:
            message = self._outbox.popleft()
            size += message.size + OVERHEAD_BYTES
            yield message
        if not self._outbox:
            self._news.clear()

    def _is_open(self, message: Message) -> bool:
        return self.consumer.in_flight.get(message.id) is message
