"""Streams of events that the codec writes once: each further stream gets the same with its own ids put in."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias
from uuid import UUID, uuid4

from bench.commands.work import request
from domain.message import Event
from domain.stream_name import stream_name
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord
from service.consumers import EVENTS

Append: TypeAlias = tuple[str, Sequence[NewRecord]]
"""The name of a stream, and the next events of it."""
CODEC: Final = EventCodec(EVENTS)
ID: Final = "00000000-0000-0000-0000-00000000c0de"
CUSTOMER: Final = "customer-of-the-bench"
_CUSTOMERS: Final = 500
_SPREAD: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, so that no two ids are equal


def written(events: Iterable[Event]) -> list[NewRecord]:
    """The events as the service writes them."""
    return [CODEC.encode(event, request().metadata(event)) for event in events]


class StreamTemplate:
    """The events of one stream of a category; without one ("") streams are named by their ids alone.

    They name the stream's aggregate ID, and its customer CUSTOMER. Writing each event anew would take longer than
    folding it.
    """

    def __init__(self, category: str, records: Iterable[NewRecord]) -> None:
        self.category: Final = category
        self._records: Final = [(each, each.data.decode(), each.metadata.decode()) for each in records]

    def __len__(self) -> int:
        return len(self._records)

    def appends(self, events: int, at_once: int = 1) -> Iterator[Append]:
        """Single events of as many streams as have that many together; so many streams at a time take turns.

        No other call gives the same ids. Their last digits are equally frequent.
        """
        streams, start = events // len(self), uuid4().int
        for first in range(0, streams, at_once):
            together = range(first, min(first + at_once, streams))
            for which in range(len(self)):
                for number in together:
                    aggregate_id = str(UUID(int=(start + number * _SPREAD) % (1 << 128)))
                    yield self.stream(aggregate_id), [self.record(which, aggregate_id, number)]

    def stream(self, aggregate_id: str) -> str:
        """The name of its stream."""
        return stream_name(self.category, aggregate_id) if self.category else aggregate_id

    def record(self, which: int, aggregate_id: str, number: int) -> NewRecord:
        """The event with that number, from 0, of one stream; streams with different numbers have other customers."""
        record, data, metadata = self._records[which]
        data = data.replace(ID, aggregate_id).replace(CUSTOMER, f"customer-{number % _CUSTOMERS}")
        return NewRecord(record.type, data.encode(), metadata.replace(ID, aggregate_id).encode(), record.content_type)
