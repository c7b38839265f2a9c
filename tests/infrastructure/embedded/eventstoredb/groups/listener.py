"""A consumer of a group over gRPC, read on a thread of its own so that a test can wait with a bound."""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import Literal

from esdbclient import EventStoreDBClient, RecordedEvent
from esdbclient.exceptions import EventStoreDBClientException
from esdbclient.persistent import PersistentSubscription

SECONDS = 10.0
_READ = """
import sys
from esdbclient import EventStoreDBClient
client = EventStoreDBClient(sys.argv[1])
for event in client.read_subscription_to_stream(sys.argv[2], sys.argv[3]):
    print(event.stream_position, flush=True)
"""


class Listener:
    """Answers only what it is told to; answers go out one by one."""

    def __init__(self, client: EventStoreDBClient, group: str, stream: str | None = None, slots: int = 150) -> None:
        if stream is None:
            read = client.read_subscription_to_all(group, event_buffer_size=slots, max_ack_batch_size=1)
        else:
            read = client.read_subscription_to_stream(group, stream, event_buffer_size=slots, max_ack_batch_size=1)
        assert isinstance(read, PersistentSubscription)
        self._subscription = read
        self._items: queue.Queue[RecordedEvent | EventStoreDBClientException | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def take(self, count: int) -> list[RecordedEvent]:
        """The next events; raises queue.Empty where fewer come, or what ended the subscription."""
        return [self._take() for _ in range(count)]

    def ending(self) -> EventStoreDBClientException | None:
        """What the subscription ends with; raises queue.Empty where it does not end."""
        while isinstance(item := self._items.get(timeout=SECONDS), RecordedEvent):
            pass
        return item

    def acknowledge(self, events: Iterable[RecordedEvent]) -> None:
        for event in events:
            self._subscription.ack(event)

    def refuse(self, events: Iterable[RecordedEvent], action: Literal["park", "retry"]) -> None:
        for event in events:
            self._subscription.nack(event, action)

    def stop(self) -> None:
        self._subscription.stop()

    def _take(self) -> RecordedEvent:
        item = self._items.get(timeout=SECONDS)
        assert item is not None, "the subscription ended"
        if isinstance(item, EventStoreDBClientException):
            raise item
        return item

    def _listen(self) -> None:
        try:
            for event in self._subscription:
                self._items.put(event)
        except EventStoreDBClientException as error:
            self._items.put(error)
        else:
            self._items.put(None)


def read_and_die(uri: str, group: str, stream: str, count: int) -> list[int]:
    """A consumer in another process gets events, answers none and is killed; their numbers."""
    command = [sys.executable, "-c", _READ, uri, group, stream]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        numbers = [int(process.stdout.readline()) for _ in range(count)]
        process.kill()
    return numbers


def told(events: Iterable[RecordedEvent]) -> list[tuple[int, int | None]]:
    """Numbers and retry counts."""
    return [(event.stream_position, event.retry_count) for event in events]
