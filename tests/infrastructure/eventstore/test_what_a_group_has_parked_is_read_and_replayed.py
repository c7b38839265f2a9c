"""What a group has parked: read with its reasons, delivered again in part, counted; on whatever server is tested."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest

from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.consumer_groups import all_groups, one_group, parked_counts, replay_parked
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.parked_stream import (
    Parked,
    ParkedCount,
    ParkedMessage,
    parked_count,
    parked_in,
    parked_messages,
    parked_stream,
)
from infrastructure.eventstore.persistent_subscription import Delivered, PersistentSubscription, join_group
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.eventstore.silent_store import RefusingStore, running
from tests.support.polling import poll_until_async


class Paid:
    """A stream of payments of a kind of their own, and a group of these."""

    def __init__(self, uri: str, number: int) -> None:
        self.uri, self.kind = uri, f"Paid{uuid4().hex}"
        self.stream, self.group = f"till-{uuid4()}", f"billing-{uuid4()}"
        self.parked_stream = parked_stream(f"$all::{self.group}")
        with operating(uri) as operator:
            operator.append(self.stream, *[NewRecord(self.kind, b"{}")] * number)

    async def park(self, client: CommandClient, *reasons: str) -> None:
        """Parks the first messages for these reasons."""
        joined = await join_group(client, self.group, self.kind, None, len(reasons))
        taken = [delivered async for delivered in _first(joined, len(reasons))]
        for delivered, reason in zip(taken, reasons, strict=True):
            assert await joined.park(delivered, reason)
        await joined.stop()
        assert not await joined.park(taken[0], "too late")
        await self.until_parked(client, len(reasons))

    async def parked(self, client: CommandClient) -> Parked | None:
        streams = Streams(client, EventCodec(()), patience=10.0)
        return await parked_in(streams, self.parked_stream)

    async def until_parked(self, client: CommandClient, number: int) -> None:
        async def are_parked() -> bool:
            found = await self.parked(client)
            return (0 if found is None else found.count) == number

        await poll_until_async(are_parked, 20, what=f"{number} parked messages")

    def messages(self, parked: Parked) -> list[ParkedMessage]:
        with open_reader(self.uri) as reader:
            return list(parked_messages(reader, self.parked_stream, parked))


@pytest.fixture
def paid(eventstore_uri: str) -> Paid:
    return Paid(eventstore_uri, 4)


def test_each_message_is_parked_for_the_reason_that_its_consumer_gave(paid: Paid) -> None:
    async def run() -> Parked | None:
        async with connected(paid.uri) as client:
            assert await paid.parked(client) is None
            await paid.park(client, "no account", "no account", "no\nmoney: 5", "")
            return await paid.parked(client)

    parked = asyncio.run(run())
    assert parked is not None
    assert (parked.first, parked.last, parked.count) == (0, 3, 4)
    found = paid.messages(parked)
    assert [(message.by, message.reason) for message in found] == [
        ("consumer", reason) for reason in ("no account", "no account", "no\nmoney: 5", "")
    ]
    assert [(message.stream, message.version) for message in found] == [(paid.stream, number) for number in range(4)]
    assert [event.type for event in (message.event for message in found) if event] == [paid.kind] * 4
    assert found[0].at == parked.oldest


def test_a_part_of_it_is_delivered_again_and_the_rest_stays(paid: Paid) -> None:
    async def run() -> None:
        async with connected(paid.uri) as client, connected(paid.uri) as own:
            await paid.park(client, "first", "second", "third")
            group = await one_group(client, "$all", paid.group)
            assert group is not None
            assert (group.parked, group.consumers, group.is_on_log) == (3, (), True)
            joined = await join_group(own, paid.group, paid.kind, None, 10)
            assert await replay_parked(client, group, 2)
            again = [delivered.record.version async for delivered in _first(joined, 3)]
            assert sorted(again) == [0, 1, 3]
            await paid.until_parked(client, 1)
            parked = await paid.parked(client)
            assert parked is not None
            assert [message.reason for message in paid.messages(parked)] == ["third"]
            assert (await parked_counts(client))[paid.group] == 1
            [found] = [each for each in await all_groups(client) if each.name == paid.group]
            assert ([consumer.in_flight for consumer in found.consumers], found.in_flight) == ([3], 3)
            await joined.stop()

    asyncio.run(run())


async def counted(status: grpc.StatusCode) -> ParkedCount:
    """What is said of a group of which the store has told that it parked seven."""
    with running(RefusingStore(status)) as uri:
        async with connected(uri) as client:
            return await parked_count(Streams(client, EventCodec(())), "$all::billing", told=7)


def test_who_may_not_read_what_is_parked_gets_the_count_of_the_store() -> None:
    assert asyncio.run(counted(grpc.StatusCode.PERMISSION_DENIED)) == ParkedCount(7, exact=False)


def test_a_store_that_can_not_be_used_tells_no_count() -> None:
    with pytest.raises(StoreUnavailable, match="FailedPrecondition: not in this state"):
        asyncio.run(counted(grpc.StatusCode.FAILED_PRECONDITION))


async def _first(joined: PersistentSubscription, number: int) -> AsyncIterator[Delivered]:
    """The first messages that are delivered, which stay in hand."""
    async for delivered in joined:
        yield delivered
        number -= 1
        if number == 0:
            return


def test_a_group_that_is_not_there_is_not_replayed(paid: Paid) -> None:
    async def run() -> None:
        async with connected(paid.uri) as client:
            await paid.park(client, "first")
            group = await one_group(client, "$all", paid.group)
            assert group is not None
            with operating(paid.uri) as operator:
                operator.delete_group(paid.group)
            assert not await replay_parked(client, group, 1)
            assert await one_group(client, "$all", paid.group) is None
            assert await paid.parked(client) is None

    asyncio.run(run())
