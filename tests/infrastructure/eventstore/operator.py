"""What an operator does to streams with the store's own tools: deletes, truncates, looks at groups."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.persistent import SubscriptionInfo

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

    def create_group(self, group: str, pattern: str, **settings: Any) -> None:
        """A persistent subscription to the records whose types match, with settings in the client's words."""
        self.client.create_subscription_to_all(group, filter_include=(pattern,), timeout=5.0, **settings)

    def group_info(self, group: str) -> SubscriptionInfo:
        """How many messages it has delivered and parked, among others."""
        return self.client.get_subscription_info(group, timeout=5.0)

    def delete_group(self, group: str) -> None:
        """Ends it for all who consume it."""
        self.client.delete_subscription(group, timeout=5.0)

    def replay_parked(self, group: str) -> None:
        """Has what is parked delivered again."""
        self.client.replay_parked_events(group, timeout=5.0)


@contextmanager
def operating(uri: str) -> Iterator[Operator]:
    """An operator of the store at `uri`, in a block."""
    with EventStoreDBClient(uri) as client:
        yield Operator(client)
