"""How fast a persistent subscription delivers messages, each of which is acknowledged."""

from collections.abc import Iterator
from itertools import islice
from typing import Final
from uuid import uuid4

from esdbclient import EventStoreDBClient

from bench.figures import Extent, Figure, compared, in_turns
from bench.store.log import fill
from bench.store.server import StoreServer, temporary_folder

_MESSAGES: Final = 20_000
_FOLLOWED: Final = "catch-up, client as shipped"
_DELIVERED: Final = "persistent subscription, acknowledged"


def measure_deliveries(extent: Extent) -> Iterator[Figure]:
    """Compares a group of one consumer with a catch-up subscription, which acknowledges nothing."""
    messages = extent.events(_MESSAGES)
    with temporary_folder() as folder:
        fill(folder, 0, messages)
        with StoreServer(folder) as server, EventStoreDBClient(server.uri) as client:
            ways = {
                _FOLLOWED: lambda: server.measured(lambda: _follow(client, messages)),
                _DELIVERED: lambda: server.measured(lambda: consume(server.uri, messages)),
            }
            runs = in_turns(ways, extent.rounds)
    yield from compared(runs, "messages/s", {_DELIVERED: _FOLLOWED})


def _follow(client: EventStoreDBClient, messages: int) -> int:
    with client.subscribe_to_all() as subscription:
        return sum(1 for _ in islice(subscription, messages))


def consume(uri: str, messages: int) -> int:
    """Acknowledges that many messages of a new group, from the beginning of the log; the group is deleted."""
    group, count = f"bench-{uuid4()}", 0
    with EventStoreDBClient(uri) as client:
        client.create_subscription_to_all(group, from_end=False)
        with client.read_subscription_to_all(group, event_buffer_size=500, max_ack_batch_size=100) as subscription:
            for event in islice(subscription, messages):
                subscription.ack(event)
                count += 1
        client.delete_subscription(group)
    return count
