"""The messages that consumers have and have not answered yet."""

import heapq
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message


@dataclass(frozen=True, slots=True)
class Flight:
    """A message, who has it, since when, and when to give up waiting for the answer."""

    message: Message
    consumer: Consumer
    since: float
    deadline: float


class Flights:
    """All of a group; the time that a message may take is the same for each, so the oldest expires first."""

    def __init__(self) -> None:
        self._flights: dict[UUID, Flight] = {}
        self._order: list[tuple[int, UUID]] = []

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, event_id: UUID) -> bool:
        return event_id in self._flights

    def start(self, flight: Flight) -> None:
        message = flight.message
        self._flights[message.id] = flight
        flight.consumer.begin(message)
        if not message.replayed:
            heapq.heappush(self._order, (message.sequence, message.id))
        if len(self._order) > 2 * len(self._flights) + 64:
            self._forget_ended()

    def end(self, event_id: UUID) -> Flight | None:
        """None if nobody was waiting for this answer."""
        flight = self._flights.pop(event_id, None)
        if flight is not None:
            flight.consumer.finish(event_id)
        return flight

    def expired(self, now: float) -> list[Message]:
        """Ends what has taken too long."""
        late = list(takewhile(lambda flight: flight.deadline <= now, self._flights.values()))
        for flight in late:
            self.end(flight.message.id)
        return [flight.message for flight in late]

    def lowest(self) -> Message | None:
        """The message in flight that comes first in the source, leaving out replayed ones."""
        while self._order:
            sequence, event_id = self._order[0]
            flight = self._flights.get(event_id)
            if flight is not None and (flight.message.sequence, flight.message.replayed) == (sequence, False):
                return flight.message
            heapq.heappop(self._order)
        return None

    def _forget_ended(self) -> None:
        """One message that stays open for long must not let the order grow without bound."""
        open_ones = (flight.message for flight in self._flights.values() if not flight.message.replayed)
        self._order = [(message.sequence, message.id) for message in open_ones]
        heapq.heapify(self._order)
