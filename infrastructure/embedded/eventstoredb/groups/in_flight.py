"""The messages in flight: sent to consumers and not answered yet."""

import heapq
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message


@dataclass(frozen=True, slots=True)
class InFlightMessage:
    """A message, the consumer that has it, since when, and when it expires."""

    message: Message
    consumer: Consumer
    since: float
    deadline: float


class InFlightMessages:
    """All of a group; the time that a message may take is the same for each, so the oldest expires first."""

    def __init__(self) -> None:
        self._messages: dict[UUID, InFlightMessage] = {}
        self._order: list[tuple[int, UUID]] = []

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, event_id: UUID) -> bool:
        return event_id in self._messages

    def start(self, sent: InFlightMessage) -> None:
        message = sent.message
        self._messages[message.id] = sent
        sent.consumer.begin(message)
        if not message.replayed:
            heapq.heappush(self._order, (message.sequence, message.id))
        if len(self._order) > 2 * len(self._messages) + 64:
            self._forget_ended()

    def end(self, event_id: UUID) -> InFlightMessage | None:
        """None if no such message is in flight."""
        sent = self._messages.pop(event_id, None)
        if sent is not None:
            sent.consumer.finish(event_id)
        return sent

    def expired(self, now: float) -> list[Message]:
        """Ends what has taken too long."""
        late = list(takewhile(lambda sent: sent.deadline <= now, self._messages.values()))
        for sent in late:
            self.end(sent.message.id)
        return [sent.message for sent in late]

    def lowest(self) -> Message | None:
        """The message in flight that comes first in the source, leaving out replayed ones."""
        while self._order:
            sequence, event_id = self._order[0]
            sent = self._messages.get(event_id)
            if sent is not None and (sent.message.sequence, sent.message.replayed) == (sequence, False):
                return sent.message
            heapq.heappop(self._order)
        return None

    def _forget_ended(self) -> None:
        """One message that stays open for long must not let the order grow without bound."""
        open_ones = (sent.message for sent in self._messages.values() if not sent.message.replayed)
        self._order = [(message.sequence, message.id) for message in open_ones]
        heapq.heapify(self._order)
