"""A group that is far behind the log holds a buffer's worth of it, whoever reads and however slowly."""

from pathlib import Path
from uuid import UUID

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from tests.infrastructure.embedded.eventstoredb.groups.listener import Listener
from tests.support.eventstore import EventStoreProcess, resident_bytes
from tests.support.polling import poll_until

STREAM, GROUP = "source", "group"
PAGE = 1000
MAX_GROWTH_BYTES = 60_000_000


def fill(store: EventStoreProcess, count: int) -> None:
    with EventStoreDBClient(store.uri) as client:
        for first in range(0, count, PAGE):
            events = [NewEvent("Happened", b"x" * 400, id=UUID(int=first + number + 1)) for number in range(PAGE)]
            client.append_events(STREAM, current_version=StreamState.ANY, events=events)


def parked(client: EventStoreDBClient) -> int:
    return client.get_subscription_info(GROUP, STREAM).parked_message_count


@pytest.mark.parametrize(
    ("count", "taken"),
    [
        (50_000, 500),
        pytest.param(1_000_000, 20_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    ],
)
def test_messages_far_behind_cost_little_memory(tmp_path: Path, count: int, taken: int) -> None:
    """Consumers that stall, one that works, and one that parks; then a restart in the middle."""
    with EventStoreProcess(tmp_path) as process:
        fill(process, count)
        process.stop()
        process.start()
        before = resident_bytes(process)
        with EventStoreDBClient(process.uri) as client:
            client.create_subscription_to_stream(GROUP, STREAM, message_timeout=60)
            client.create_subscription_to_all("all", filter_include=("Happened",), message_timeout=60)
            stalled = [Listener(client, GROUP, STREAM, slots=5) for _ in range(3)]
            worker, everything = Listener(client, GROUP, STREAM), Listener(client, "all")
            for number in range(taken):
                events = worker.take(1)
                worker.refuse(events, "park") if number % 10 == 0 else worker.acknowledge(events)
                everything.acknowledge(everything.take(1))
            assert resident_bytes(process) - before < MAX_GROWTH_BYTES
            held = [event.stream_position for listener in stalled for event in listener.take(5)]
            assert len(set(held)) == len(held)
            poll_until(lambda: parked(client) == -(-taken // 10), seconds=20, what="parking")
        process.kill()
        process.start()
        with EventStoreDBClient(process.uri) as client:
            assert set(held) <= {event.stream_position for event in Listener(client, GROUP, STREAM).take(150)}
            assert resident_bytes(process) - before < MAX_GROWTH_BYTES
