"""The messages of a group that wait for a consumer: what is to be retried first, then what is new."""

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto

from infrastructure.embedded.eventstoredb.groups.message import Message


class Answer(Enum):
    """What came of offering a message."""

    SENT = auto()
    HELD = auto()
    FULL = auto()


class Buffer:
    """Messages to retry are kept in the order of the source, replayed ones behind them."""

    def __init__(self) -> None:
        self._retry: deque[Message] = deque()
        self._fresh: deque[Message] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._retry) + len(self._fresh)

    @property
    def retries(self) -> int:
        return len(self._retry)

    @property
    def fresh(self) -> int:
        return len(self._fresh)

    def add(self, message: Message) -> None:
        """A new message; they come in the order of the source."""
        self._fresh.append(message)
        self.bytes += message.size

    def retry(self, messages: Iterable[Message]) -> None:
        more = list(messages)
        self._retry = deque(sorted((*self._retry, *more), key=_rank))
        self.bytes += sum(message.size for message in more)

    def offer(self, answer: Callable[[Message], Answer]) -> None:
        """Offers one after the other and keeps what is not sent, until there is no more capacity."""
        if self._drain(self._retry, answer):
            self._drain(self._fresh, answer)

    def lowest(self) -> Message | None:
        """The waiting message that comes first in the source, leaving out replayed ones."""
        heads = [queue[0] for queue in (self._retry, self._fresh) if queue and not queue[0].replayed]
        return min(heads, key=lambda message: message.sequence, default=None)

    def _drain(self, queue: deque[Message], answer: Callable[[Message], Answer]) -> bool:
        """Whether there may be capacity left."""
        held: list[Message] = []
        capacity = True
        try:
            while queue and capacity:
                result = answer(queue[0])
                capacity = result is not Answer.FULL
                if capacity:
                    self._take(queue.popleft(), result, held)
        finally:
            queue.extendleft(reversed(held))
        return capacity

    def _take(self, message: Message, result: Answer, held: list[Message]) -> None:
        if result is Answer.HELD:
            held.append(message)
        else:
            self.bytes -= message.size


def _rank(message: Message) -> tuple[bool, int]:
    return message.replayed, message.sequence
