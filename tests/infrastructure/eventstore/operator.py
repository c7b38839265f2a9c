"""What an operator does with the store's own tools: deletes and truncates streams, runs projections."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.common import AbstractPersistentSubscription
from esdbclient.exceptions import NotFound
from esdbclient.persistent import SubscriptionInfo

from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import NewRecord

Consumer: TypeAlias = AbstractPersistentSubscription
"""What a group delivers to somebody, who acknowledges or refuses it."""


class Operator:
    """Works on a store through a client of its own."""

    def __init__(self, client: EventStoreDBClient) -> None:
        self.client = client

    def append(self, stream: str, *records: NewRecord) -> int:
        """Appends whatever the version is; the position of the last."""
        events = [NewEvent(**record._asdict()) for record in records]
        return self.client.append_to_stream(stream, current_version=StreamState.ANY, events=events, timeout=30.0)

    def delete(self, stream: str) -> None:
        """So that the stream may begin again."""
        self.client.delete_stream(stream, current_version=StreamState.ANY, timeout=5.0)

    def tombstone(self, stream: str) -> None:
        """For good."""
        self.client.tombstone_stream(stream, current_version=StreamState.ANY, timeout=5.0)

    def set_metadata(self, stream: str, metadata: Mapping[str, Any]) -> None:
        """Such as `$tb`, before which a stream is truncated, or `$maxCount`."""
        self.client.set_stream_metadata(stream, metadata=dict(metadata), current_version=StreamState.ANY, timeout=5.0)

    @property
    def reader(self) -> LogReader:
        """Reads the same store through the same client; whoever uses it leaves it open."""
        return LogReader(self.client)

    def start_projection(self, name: str) -> None:
        """Such as `$by_correlation_id`."""
        self.client.enable_projection(name, timeout=5.0)

    def stop_projection(self, name: str) -> None:
        """It keeps what it has linked."""
        self.client.disable_projection(name, timeout=5.0)

    def create_group(self, group: str, pattern: str, **settings: Any) -> None:
        """A persistent subscription to the records whose types match, with settings in the client's words."""
        self.client.create_subscription_to_all(group, filter_include=(pattern,), timeout=5.0, **settings)

    def group_info(self, group: str) -> SubscriptionInfo:
        """How many messages it has delivered and parked, among others."""
        return self.client.get_subscription_info(group, timeout=5.0)

    def has_group(self, group: str) -> bool:
        """Whether it is there."""
        try:
            self.group_info(group)
        except NotFound:
            return False
        return True

    def delete_group(self, group: str) -> None:
        """Ends it for all who consume it."""
        self.client.delete_subscription(group, timeout=5.0)

    def replay_parked(self, group: str) -> None:
        """Has what is parked delivered again."""
        self.client.replay_parked_events(group, timeout=5.0)


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
