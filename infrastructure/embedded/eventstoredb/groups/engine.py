"""The rules of a group, without a clock, a log or a network: what comes in, and the effects of that.

Times are seconds of any clock that the caller keeps to. Every method that changes something returns the
effects it wants, in order. A message is *waiting* (in the buffer), *in sent* (a consumer has it), *parking*
(being written to the parked stream) or done. None of the first three is ever behind a checkpoint.
"""

from collections.abc import Iterable
from enum import IntEnum
from uuid import UUID

from infrastructure.embedded.eventstoredb.groups.buffer import Answer, Buffer
from infrastructure.embedded.eventstoredb.groups.checkpoint_schedule import CheckpointSchedule
from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.definition import Settings
from infrastructure.embedded.eventstoredb.groups.effects import Checkpoint, Deliver, Effect, Park
from infrastructure.embedded.eventstoredb.groups.in_flight import InFlightMessage, InFlightMessages
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.pinned import Pinned, correlation_of, stream_of
from infrastructure.embedded.eventstoredb.groups.rotation import Rotation
from infrastructure.embedded.eventstoredb.groups.strategy import NoConsumer, Strategy
from infrastructure.embedded.eventstoredb.storage.record import LogRecord

PAGE, DEFAULT_PAGE = 100, 20
MAX_BYTES = 32 * 1024 * 1024
REFUSED = "Client explicitly NAK'ed message.\n"


class Action(IntEnum):
    """What a consumer wants done with a message that it does not acknowledge."""

    UNKNOWN = 0
    PARK = 1
    RETRY = 2
    SKIP = 3
    STOP = 4


class Engine:
    """One group from the checkpoint `resumed` (or from its start: None) on."""

    def __init__(self, settings: Settings, resumed: int | None = None) -> None:
        self._settings = settings
        self._strategy = strategy(settings.consumer_strategy)
        self._checkpoint_schedule = CheckpointSchedule(settings)
        self._sequence = 0
        self._last = resumed
        self._effects: list[Effect] = []
        self._parking: dict[int, Message] = {}
        self.buffer, self.in_flight = Buffer(), InFlightMessages()
        self.consumers: list[Consumer] = []
        self.checkpoint = resumed
        self.last_known: int | None = None
        self.live, self.live_count, self.total = False, 0, 0

    # The source

    @property
    def room(self) -> int:
        """How many more messages may wait; very large ones leave less."""
        if self.buffer.bytes >= MAX_BYTES:
            return 0
        return max(0, self._settings.history_buffer_size - len(self.buffer) - len(self._parking))

    def next_page_size(self) -> int:
        """How many events to read now; a group that fell behind waits for room for a batch."""
        room, batch = self.room, self._settings.read_batch_size
        self.live = self.live and room > 0
        if self.live:
            return min(room, PAGE)
        return min(batch if batch > 0 else DEFAULT_PAGE, PAGE) if room > batch else 0

    def add(self, record: LogRecord, event: LogRecord | None, position: int) -> None:
        """The next event of the source, what it stands for, and its position there."""
        self._sequence += 1
        self.buffer.add(Message(record, event, self._sequence, self._last))
        self._last = self.last_known = position
        if self.live:
            self.live_count = min(self.live_count + 1, self._settings.live_buffer_size)

    def skip(self, position: int) -> None:
        """The next event of the source is not for this group."""
        self._sequence += 1
        self._last = position

    def caught_up(self) -> None:
        if not self.live:
            self.live, self.live_count = True, 0

    def replay(self, links: Iterable[tuple[LogRecord, LogRecord | None]], now: float) -> list[Effect]:
        """Parked links and what they stand for: to be tried anew, after all that waits for a retry."""
        self.buffer.retry(Message(link, event, 0, None, replayed=True) for link, event in links)
        return self.settle(now)

    # The consumers

    @property
    def is_full(self) -> bool:
        limit = self._settings.max_subscriber_count
        return limit != 0 and len(self.consumers) >= limit

    def connect(self, consumer: Consumer, now: float) -> list[Effect]:
        self.consumers.append(consumer)
        self._strategy.connect(consumer)
        return self.settle(now)

    def disconnect(self, consumer: Consumer, now: float) -> list[Effect]:
        """What it has not answered goes to the others, or waits."""
        self.consumers.remove(consumer)
        self._strategy.disconnect(consumer)
        ended = map(self.in_flight.end, list(consumer.in_flight))
        self.buffer.retry(sent.message.again() for sent in ended if sent)
        return self.settle(now)

    def acknowledge(self, ids: Iterable[UUID], now: float) -> list[Effect]:
        """Ids of no message in flight are ignored; it does not matter which consumer answers."""
        for sent in filter(None, map(self.in_flight.end, ids)):
            if self._settings.extra_statistics:
                sent.consumer.latencies.append(now - sent.since)
        return self.settle(now)

    def refuse(self, ids: Iterable[UUID], action: Action, reason: str, now: float) -> list[Effect]:
        messages = [sent.message for sent in map(self.in_flight.end, ids) if sent]
        if action is Action.PARK:
            self._park(messages, REFUSED + reason)
        elif action in {Action.RETRY, Action.UNKNOWN}:
            self._retry(messages)
        return self.settle(now)

    # The log

    def parked(self, messages: Iterable[Message], now: float) -> list[Effect]:
        """These are in the parked stream."""
        for message in messages:
            del self._parking[message.record.position]
        return self.settle(now)

    def not_parked(self, messages: Iterable[Message], now: float) -> list[Effect]:
        """They could not be written there; rather than lose them, they are delivered again."""
        self.buffer.retry(self._parking.pop(message.record.position) for message in messages)
        return self.settle(now)

    # The time

    def tick(self, now: float) -> list[Effect]:
        """Once a second: only then is it noticed that a consumer took too long."""
        self._retry(self.in_flight.expired(now))
        return self.settle(now, on_tick=True)

    def settle(self, now: float, *, on_tick: bool = False) -> list[Effect]:
        """Delivers what can be delivered, and says how far all is done."""
        self._schedule_checkpoint(now, on_tick=on_tick)
        self.buffer.offer(lambda message: self._deliver(message, now))
        effects, self._effects = self._effects, []
        return effects

    def _deliver(self, message: Message, now: float) -> Answer:
        if message.id in self.in_flight:  # answers could not be told apart
            return Answer.HELD
        consumer = self._strategy.choose(message)
        if isinstance(consumer, NoConsumer):
            return Answer.HELD if consumer is NoConsumer.FOR_THIS_MESSAGE else Answer.FULL
        self.in_flight.start(InFlightMessage(message, consumer, now, now + self._settings.message_timeout_ms / 1000))
        self.total += 1
        self._effects.append(Deliver(consumer, message))
        return Answer.SENT

    def _retry(self, messages: Iterable[Message]) -> None:
        limit = self._settings.max_retry_count
        again: list[Message] = []
        given_up: list[Message] = []
        for message in messages:
            (given_up if message.retry_count >= limit else again).append(message)
        self.buffer.retry(message.again() for message in again)
        self._park(given_up, f"Reached retry count of {limit}")

    def _park(self, messages: Iterable[Message], reason: str) -> None:
        for message in messages:
            self._parking[message.record.position] = message
            self._effects.append(Park(message, reason))

    def _schedule_checkpoint(self, now: float, *, on_tick: bool) -> None:
        lowest = self._lowest()
        done = self._sequence if lowest is None else lowest.sequence - 1
        position = self._last if lowest is None else lowest.before
        if position is not None and self._checkpoint_schedule.is_due(done, now, on_tick=on_tick):
            self._checkpoint_schedule.written(done, now)
            self.checkpoint = position
            self._effects.append(Checkpoint(position))

    def _lowest(self) -> Message | None:
        parking = (message for message in self._parking.values() if not message.replayed)
        known = (*parking, self.buffer.lowest(), self.in_flight.lowest())
        return min(filter(None, known), key=lambda message: message.sequence, default=None)


def strategy(name: str) -> Strategy:
    match name:
        case "RoundRobin":
            return Rotation(rotates_after_each=True)
        case "Pinned":
            return Pinned(stream_of)
        case "PinnedByCorrelation":
            return Pinned(correlation_of)
        case _:
            return Rotation(rotates_after_each=False)
