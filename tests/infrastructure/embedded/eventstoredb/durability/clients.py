"""Writers that contend for streams and consumers that answer out of order, until their server is killed."""

import json
import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from esdbclient import EventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException, NotFound, WrongCurrentVersion
from esdbclient.persistent import PersistentSubscription

from tests.infrastructure.embedded.eventstoredb.durability.history import ANY, Attempt, Logged

STREAMS = ("killed-0", "killed-1", "killed-2")
PATTERN = "killed-[0-9]"
GROUP = "witness"
_CURRENT = re.compile(r"Stream position of last event is (\d+) not")
_HELD = 20  # events that a consumer keeps unanswered
SECONDS = 10.0
_IMPATIENT = "&MaxDiscoverAttempts=1&DiscoveryInterval=1"  # the server they know is gone, and there is no other


class Writer:
    """Takes turns with others on the same streams; tries again what a kill left open."""

    def __init__(self, seed: int) -> None:
        self.attempts: list[Attempt] = []
        self._random = random.Random(seed)
        self._known = dict.fromkeys(STREAMS, -1)

    def run(self, uri: str) -> None:
        """Until the server is gone."""
        with suppress(EventStoreDBClientException), EventStoreDBClient(f"{uri}{_IMPATIENT}") as client:
            unheard = self._unheard()
            if unheard is not None:
                self._append(client, unheard.stream, unheard.expected, unheard.ids)
            while True:
                stream = self._random.choice(STREAMS)
                expected = ANY if self._random.random() < 0.1 else self._known[stream]
                ids = tuple(
                    UUID(int=self._random.getrandbits(128), version=4) for _ in range(self._random.randint(1, 3))
                )
                self._append(client, stream, expected, ids)

    def _unheard(self) -> Attempt | None:
        last = self.attempts[-1] if self.attempts else None
        return last if last is not None and last.ended is None else None

    def _append(self, client: EventStoreDBClient, stream: str, expected: int, ids: Sequence[UUID]) -> None:
        attempt = Attempt(stream, expected, tuple(ids), time.monotonic())
        self.attempts.append(attempt)
        events = [NewEvent("Written", b"{}", id=each) for each in ids]
        version = {ANY: StreamState.ANY, -1: StreamState.NO_STREAM}.get(expected, expected)
        try:
            attempt.position = client.append_events(stream, current_version=version, events=events, timeout=SECONDS)
            if expected != ANY:
                self._known[stream] = expected + len(ids)
        except WrongCurrentVersion as refused:
            found = _CURRENT.search(str(refused))
            attempt.refused_at = self._known[stream] = int(found[1]) if found else -1
        attempt.ended = time.monotonic()


@dataclass
class Consumer:
    """Reads a group; knows of every event whose acknowledgement may have reached the server."""

    stream: str | None
    answered: set[int] = field(default_factory=set)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    gone: threading.Event = field(default_factory=threading.Event)

    def run(self, uri: str) -> None:
        """Until the server is gone; says so before the client is closed, which takes it five seconds."""
        with EventStoreDBClient(f"{uri}{_IMPATIENT}") as client:
            try:
                self._read_until_gone(client)
            finally:
                self.gone.set()

    def _read_until_gone(self, client: EventStoreDBClient) -> None:
        held: list[RecordedEvent] = []
        with suppress(EventStoreDBClientException):
            subscription = self._read(client)
            for event in subscription:
                held.append(event)
                if len(held) > _HELD:
                    self._answer(subscription, held.pop(self.chance.randrange(len(held))))

    def drain(self, client: EventStoreDBClient, wanted: set[int]) -> None:
        """Answers everything, until nothing of what is wanted is left; stops after a while in any case."""
        subscription = self._read(client)
        alarm = threading.Timer(SECONDS, subscription.stop)
        alarm.start()
        try:
            while wanted - self.answered and (event := next(subscription, None)) is not None:
                self._answer(subscription, event)
        finally:
            alarm.cancel()
            subscription.stop()

    def create(self, client: EventStoreDBClient) -> None:
        if self.stream is None:
            client.create_subscription_to_all(
                GROUP,
                filter_include=(PATTERN,),
                filter_by_stream_name=True,
                max_retry_count=10_000,
                min_checkpoint_count=1,
                max_checkpoint_count=5,
            )
        else:
            client.create_subscription_to_stream(
                GROUP, self.stream, max_retry_count=10_000, min_checkpoint_count=1, max_checkpoint_count=5
            )

    def checkpoint(self, client: EventStoreDBClient) -> int:
        """How far the group says it has come; -1 before the first checkpoint."""
        name = f"$persistentsubscription-{self.stream or '$all'}::{GROUP}-checkpoint"
        try:
            newest = client.get_stream(name, backwards=True, limit=1)[0]
        except NotFound:
            return -1
        found = re.search(r"\d+", json.loads(newest.data))
        assert found is not None
        return int(found[0])

    def place(self, event: Logged) -> int:
        """Where an event is in this group's source."""
        return event.position if self.stream is None else event.number

    def _read(self, client: EventStoreDBClient) -> PersistentSubscription:
        if self.stream is None:
            read = client.read_subscription_to_all(GROUP, max_ack_batch_size=3)
        else:
            read = client.read_subscription_to_stream(GROUP, self.stream, max_ack_batch_size=3)
        assert isinstance(read, PersistentSubscription)
        return read

    def _answer(self, subscription: PersistentSubscription, event: RecordedEvent) -> None:
        place = event.commit_position if self.stream is None else event.stream_position
        assert place is not None
        self.answered.add(place)  # before it is sent: what is not here can't have been acknowledged
        subscription.ack(event)


def logged(client: EventStoreDBClient, after: int) -> Iterator[Logged]:
    """What was written to the contended streams after a position."""
    events = client.read_all(
        commit_position=after or None, filter_include=(PATTERN,), filter_by_stream_name=True, timeout=60
    )
    for event in events:
        assert event.commit_position is not None
        if event.commit_position > after:
            yield Logged(event.commit_position, event.stream_name, event.stream_position, event.id)
