"""A consumer strategy that gives all messages of one stream, or of one correlation, to one consumer.

What belongs together falls into one of 1,024 buckets, and a bucket into the hands of one consumer for as
long as that is connected and no newcomer needs a share.
"""

import math
import zlib
from collections import Counter
from collections.abc import Callable

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.strategy import NoConsumer
from infrastructure.embedded.eventstoredb.storage.metadata import as_object
from infrastructure.embedded.eventstoredb.storage.record import LogRecord

BUCKETS = 1024
LINK = "$>"


class Pinned:
    """`key` says what must stay together."""

    def __init__(self, key: Callable[[Message], str]) -> None:
        self._key = key
        self._consumers: list[Consumer] = []
        self._owners: dict[int, Consumer] = {}

    def connect(self, consumer: Consumer) -> None:
        """A newcomer finds no owner for what the others have more of than their fair share."""
        self._consumers.append(consumer)
        fair = math.ceil(len(self._owners) / len(self._consumers))
        for other in self._consumers[:-1]:
            for bucket in self._busy_first(other)[fair:]:
                del self._owners[bucket]

    def disconnect(self, consumer: Consumer) -> None:
        self._consumers.remove(consumer)
        self._owners = {bucket: owner for bucket, owner in self._owners.items() if owner is not consumer}

    def choose(self, message: Message) -> Consumer | NoConsumer:
        if not any(consumer.free for consumer in self._consumers):
            return NoConsumer.FOR_ANY_MESSAGE
        bucket = self._bucket(message)
        owner = self._owners.get(bucket) or self._assign(bucket)
        return owner if owner.free else NoConsumer.FOR_THIS_MESSAGE

    def _assign(self, bucket: int) -> Consumer:
        shares = Counter(map(id, self._owners.values()))
        owner = min(self._consumers, key=lambda consumer: shares[id(consumer)])
        self._owners[bucket] = owner
        return owner

    def _busy_first(self, consumer: Consumer) -> list[int]:
        """The consumer's buckets; those with messages in flight stand first, so that they are kept."""
        busy = set(map(self._bucket, consumer.in_flight.values()))
        buckets = [bucket for bucket, owner in self._owners.items() if owner is consumer]
        return sorted(buckets, key=lambda bucket: bucket not in busy)

    def _bucket(self, message: Message) -> int:
        return zlib.crc32(self._key(message).encode(errors="surrogatepass")) % BUCKETS


def stream_of(message: Message) -> str:
    """The stream that the event was first written to, also where only a link is known."""
    event = message.event or message.record
    return _target_of(event) if event.type == LINK else event.stream


def correlation_of(message: Message) -> str:
    """The event's `$correlationId`, or its stream where there is none."""
    event = message.event or message.record
    correlation = (as_object(event.metadata) or {}).get("$correlationId")
    return correlation if isinstance(correlation, str) else stream_of(message)


def _target_of(link: LogRecord) -> str:
    return link.data.decode(errors="replace").partition("@")[2] or link.stream
