"""What an operator does to streams with the store's own tools: deletes, truncates, looks at groups."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from esdbclient import EventStoreDBClient, NewEvent, StreamState

from infrastructure.eventstore.record import NewRecord


class Operator:
    """Works on a store through a client of its own."""

    def __init__(self, client: EventStoreDBClient) -> None:
        self.client = client

    def append(self, stream: str, *records: NewRecord) -> int:
        """Appends whatever the version is; the position of the last."""
        events = [NewEvent(record.type, record.data, record.metadata) for record in records]
        return self.client.append_to_stream(stream, current_version=StreamState.ANY, events=events, timeout=5.0)

    def delete(self, stream: str) -> None:
        """So that the stream may begin again."""
        self.client.delete_stream(stream, current_version=StreamState.ANY, timeout=5.0)

    def tombstone(self, stream: str) -> None:
        """For good."""
        self.client.tombstone_stream(stream, current_version=StreamState.ANY, timeout=5.0)

    def set_metadata(self, stream: str, metadata: Mapping[str, Any]) -> None:
        """Such as `$tb`, before which a stream is truncated, or `$maxCount`."""
        self.client.set_stream_metadata(stream, metadata=dict(metadata), current_version=StreamState.ANY, timeout=5.0)


async def operate(uri: str, act: Callable[[Operator], object]) -> None:
    """Lets an operator do one thing, beside the event loop."""

    def run() -> None:
        with operating(uri) as operator:
            act(operator)

    await asyncio.to_thread(run)


@contextmanager
def operating(uri: str) -> Iterator[Operator]:
    """An operator of the store at `uri`, in a block."""
    with EventStoreDBClient(uri) as client:
        yield Operator(client)
