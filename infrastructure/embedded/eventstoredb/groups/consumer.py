"""A connected reader of a group, as far as sharing out messages is concerned."""

from collections import deque
from uuid import UUID

from infrastructure.embedded.eventstoredb.groups.message import Message

LATENCIES = 1000


class Consumer:
    """Takes at most `slots` messages at a time; `name` and `peer` say who it is.

    `latencies` are the seconds that its last acknowledgements took, where the group keeps them.
    """

    def __init__(self, slots: int, name: str = "", peer: str = "") -> None:
        self.slots, self.name, self.peer = slots, name, peer
        self.in_flight: dict[UUID, Message] = {}
        self.total = 0
        self.latencies: deque[float] = deque(maxlen=LATENCIES)

    @property
    def free(self) -> int:
        return max(0, self.slots - len(self.in_flight))

    def begin(self, message: Message) -> None:
        self.in_flight[message.id] = message
        self.total += 1

    def finish(self, event_id: UUID) -> None:
        self.in_flight.pop(event_id, None)
