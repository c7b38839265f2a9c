"""A live group without consumers buffers each event as it is committed, whatever the stream's metadata hides later."""

from collections.abc import Callable

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from tests.infrastructure.embedded.eventstoredb.groups.listener import Listener

COUNT = 20


def events(count: int) -> list[NewEvent]:
    return [NewEvent("T", b"{}") for _ in range(count)]


def append_together(client: EventStoreDBClient, stream: str) -> None:
    client.append_events(stream, current_version=StreamState.ANY, events=events(COUNT))


def append_one_by_one(client: EventStoreDBClient, stream: str) -> None:
    for event in events(COUNT):
        client.append_events(stream, current_version=StreamState.ANY, events=[event])


def append_and_delete(client: EventStoreDBClient, stream: str) -> None:
    append_together(client, stream)
    client.delete_stream(stream, current_version=StreamState.ANY)


HIDDEN: dict[str, Callable[[EventStoreDBClient, str], None]] = {
    "together": append_together,
    "one by one": append_one_by_one,
    "then deleted": append_and_delete,
}


@pytest.mark.parametrize("append", HIDDEN.values(), ids=HIDDEN.keys())
def test_all_events_are_delivered(
    client: EventStoreDBClient, stream: str, append: Callable[[EventStoreDBClient, str], None]
) -> None:
    client.set_stream_metadata(stream, metadata={"$maxCount": 3})
    client.append_events(stream, current_version=StreamState.ANY, events=events(5))
    client.create_subscription_to_stream("group", stream, from_end=True)
    append(client, stream)
    found = Listener(client, "group", stream).take(COUNT)
    assert [event.stream_position for event in found] == list(range(5, 5 + COUNT))


def test_what_was_hidden_before_stays_hidden(client: EventStoreDBClient, stream: str) -> None:
    client.append_events(stream, current_version=StreamState.ANY, events=events(5))
    client.set_stream_metadata(stream, metadata={"$tb": 5})
    client.create_subscription_to_stream("group", stream)
    assert client.get_stream(stream) == ()
    client.append_events(stream, current_version=StreamState.ANY, events=events(1))
    [found] = Listener(client, "group", stream).take(1)
    assert found.stream_position == 5


def test_a_group_that_is_not_live_reads_what_readers_see(client: EventStoreDBClient, stream: str) -> None:
    client.set_stream_metadata(stream, metadata={"$maxCount": 3})
    append_together(client, stream)
    client.create_subscription_to_stream("group", stream)
    found = Listener(client, "group", stream).take(3)
    assert [event.stream_position for event in found] == [COUNT - 3, COUNT - 2, COUNT - 1]
