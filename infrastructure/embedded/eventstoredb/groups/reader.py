"""A consumer's end of a group: what was delivered to it and not sent yet."""

import asyncio
from collections import deque

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.meter import Meter


class Reader:
    """Holds no more than the consumer has slots."""

    def __init__(self, consumer: Consumer, now: float) -> None:
        self.consumer, self.meter = consumer, Meter(now)
        self._outbox: deque[Message] = deque()
        self._dropped: Exception | None = None
        self._news = asyncio.Event()

    def put(self, message: Message) -> None:
        self._outbox.append(message)
        self._news.set()

    def drop(self, error: Exception) -> None:
        """No more will come, whatever is still to be sent."""
        self._dropped = error
        self._news.set()

    async def next_batch(self, limit: int) -> list[Message]:
        """At least one message, as soon as there is one; raises what the reader was dropped with."""
        await self._news.wait()
        if self._dropped:
            raise self._dropped
        batch = [self._outbox.popleft() for _ in range(min(limit, len(self._outbox)))]
        if not self._outbox:
            self._news.clear()
        return batch
