"""Tells what happens to a group, and keeps what it does: no clock but the story's, no log, no network."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.definition import Settings
from infrastructure.embedded.eventstoredb.groups.effects import Checkpoint, Deliver, Effect, Park
from infrastructure.embedded.eventstoredb.groups.engine import Action, Engine
from infrastructure.embedded.eventstoredb.storage.record import LogRecord

USUAL: dict[str, Any] = {
    "resolve_links": False,
    "extra_statistics": False,
    "message_timeout_ms": 30_000,
    "max_retry_count": 10,
    "min_checkpoint_count": 10,
    "max_checkpoint_count": 1000,
    "checkpoint_after_ms": 2_000,
    "max_subscriber_count": 5,
    "live_buffer_size": 500,
    "read_batch_size": 200,
    "history_buffer_size": 500,
    "consumer_strategy": "DispatchToSingle",
}


def event_id(number: int) -> UUID:
    return UUID(int=number + 1)


def event(number: int, stream: str = "source", kind: str = "T", data: bytes = b"", metadata: bytes = b"") -> LogRecord:
    return LogRecord(number + 1, stream, number, event_id(number), kind, True, 0, data, metadata)


class Story:
    """Events are told by their number in the source; an event's id says its number, too."""

    def __init__(self, resumed: int | None = None, **settings: Any) -> None:
        self.engine = Engine(Settings(**{**USUAL, **settings}), resumed)
        self.now = 0.0
        self.next = 0 if resumed is None else resumed + 1
        self.delivered: list[tuple[Consumer, int, int]] = []
        self.parked: list[tuple[int, str]] = []
        self.checkpoints: list[int] = []
        self._parks: list[Park] = []

    def joins(self, slots: int = 10) -> Consumer:
        consumer = Consumer(slots)
        self._note(self.engine.connect(consumer, self.now))
        return consumer

    def leaves(self, consumer: Consumer) -> None:
        self._note(self.engine.disconnect(consumer, self.now))

    def happens(self, count: int = 1, stream: str = "source", **fields: Any) -> None:
        self.happen([event(number, stream, **fields) for number in range(self.next, self.next + count)])

    def happen(self, records: Iterable[LogRecord]) -> None:
        for record in records:
            self.engine.add(record, record, self.next)
            self.next += 1
        self._note(self.engine.settle(self.now))

    def is_left_out(self, count: int = 1) -> None:
        """The filter does not let these pass."""
        for _ in range(count):
            self.engine.skip(self.next)
            self.next += 1
        self._note(self.engine.settle(self.now))

    def acknowledged(self, *numbers: int) -> None:
        self._note(self.engine.acknowledge(map(event_id, numbers), self.now))

    def refused(self, action: Action, *numbers: int, reason: str = "") -> None:
        self._note(self.engine.refuse(map(event_id, numbers), action, reason, self.now))

    def passes(self, seconds: int) -> None:
        """Time, with a tick at the end of each second."""
        for _ in range(seconds):
            self.now += 1
            self._note(self.engine.tick(self.now))

    @property
    def parking(self) -> list[int]:
        """What is on its way to the parked stream."""
        return [park.message.record.number for park in self._parks]

    def parking_succeeds(self) -> None:
        parks, self._parks = self._parks, []
        self._note(self.engine.parked([park.message for park in parks], self.now))

    def parking_fails(self) -> None:
        parks, self._parks = self._parks, []
        self._note(self.engine.not_parked([park.message for park in parks], self.now))

    def replayed(self, *numbers: int) -> None:
        """These are read back from the parked stream, as links with ids of their own: the number plus 100."""
        links = [(event(100 + number, "parked", "$>"), event(number)) for number in numbers]
        self._note(self.engine.replay(links, self.now))

    def got(self, consumer: Consumer) -> list[int]:
        """What was delivered to it until now."""
        return [number for one, number, _ in self.delivered if one is consumer]

    @property
    def deliveries(self) -> list[tuple[int, int]]:
        """Number and retry count of everything delivered since the last look."""
        delivered, self.delivered = self.delivered, []
        return [(number, retries) for _, number, retries in delivered]

    def _note(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Deliver():
                    message = effect.message
                    self.delivered.append((effect.consumer, message.record.number, message.retry_count))
                case Park():
                    self._parks.append(effect)
                    self.parked.append((effect.message.record.number, effect.reason))
                case Checkpoint():
                    self.checkpoints.append(effect.position)
