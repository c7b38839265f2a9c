"""Writes tallies into an event store, and knows what rows they must come to."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from uuid import uuid4

from domain.message import Event
from domain.stream_name import stream_of_row
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.readmodels.tallies import EVENTS, METADATA, Opened, Raised

CODEC = EventCodec(EVENTS)


class Logbook:
    """Appends to streams of one category, whoever else does."""

    def __init__(self, uri: str, category: str) -> None:
        self._closing = ExitStack()
        self._operator = self._closing.enter_context(operating(uri))
        self.category = category
        self.totals: defaultdict[str, int] = defaultdict(int)

    def write(self, tally: str, *events: Event) -> int:
        """Appends to a tally's stream, which the key of its row names; the position of the last event."""
        return self.write_raw(tally, *(CODEC.encode(event, METADATA) for event in events))

    def write_raw(self, tally: str, *records: NewRecord) -> int:
        """Appends what may be no event of ours."""
        return self._operator.append(stream_of_row(self.category, tally), *records)

    def open(self, tallies: Iterable[str], owner: str = "ann") -> int:
        """Opens each of them; the position of the last."""
        return max((self.write(tally, Opened(owner=owner)) for tally in tallies), default=0)

    def raise_all(self, tallies: Iterable[str], times: int = 1) -> int:
        """Raises each, by another amount each time, and keeps `totals`; the position of the last event."""
        position = 0
        for tally in tallies:
            raised = [Raised(by=number) for number in range(1, times + 1)]
            position = self.write(tally, *raised)
            self.totals[tally] += sum(event.by for event in raised)
        return position

    def elsewhere(self, events: int) -> int:
        """Events in a stream that nobody here is interested in; the position of the last."""
        return self._operator.append(f"noise-{uuid4()}", *[NewRecord("Noise", b"{}")] * events)

    def __enter__(self) -> "Logbook":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()


def new_tallies(number: int) -> list[str]:
    """Ids, over all partitions."""
    return [str(uuid4()) for _ in range(number)]
