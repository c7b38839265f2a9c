"""Consumer strategies that look at the consumers only: one after the other, or one until it is full."""

from collections import deque

from infrastructure.embedded.eventstoredb.groups.choice import Nobody
from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message


class Turns:
    """Consumers in a queue; with `each_in_turn` whoever got a message goes to its end, else whoever is full."""

    def __init__(self, *, each_in_turn: bool) -> None:
        self._queue: deque[Consumer] = deque()
        self._each_in_turn = each_in_turn

    def connect(self, consumer: Consumer) -> None:
        self._queue.append(consumer)

    def disconnect(self, consumer: Consumer) -> None:
        self._queue.remove(consumer)

    def choose(self, message: Message) -> Consumer | Nobody:
        for _ in range(len(self._queue)):
            head = self._queue[0]
            if head.free == 0:
                self._queue.rotate(-1)
                continue
            if self._each_in_turn:
                self._queue.rotate(-1)
            return head
        return Nobody.FOR_ANY
