"""The strategies RoundRobin and DispatchToSingle: consumers in rotation, whatever the message."""

from collections import deque

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.strategy import NoConsumer


class Rotation:
    """The first in the queue gets the message; it goes to the end when it is full, or after each message."""

    def __init__(self, *, rotates_after_each: bool) -> None:
        self._queue: deque[Consumer] = deque()
        self._rotates_after_each = rotates_after_each

    def connect(self, consumer: Consumer) -> None:
        self._queue.append(consumer)

    def disconnect(self, consumer: Consumer) -> None:
        self._queue.remove(consumer)

    def choose(self, message: Message) -> Consumer | NoConsumer:
        for _ in range(len(self._queue)):
            head = self._queue[0]
            if head.free == 0:
                self._queue.rotate(-1)
                continue
            if self._rotates_after_each:
                self._queue.rotate(-1)
            return head
        return NoConsumer.FOR_ANY_MESSAGE
