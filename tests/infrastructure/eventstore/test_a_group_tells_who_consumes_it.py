"""The state of a group of consumers: who is there, what waits, what is parked."""

import asyncio
from uuid import uuid4

from infrastructure.eventstore.group_state import GroupState, group_state
from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import operating
from tests.support.polling import poll_until


def state(uri: str, group: str) -> GroupState | None:
    async def ask() -> GroupState | None:
        async with connected(uri) as client:
            return await group_state(client, group, 5.0)

    return asyncio.run(ask())


def becomes(uri: str, group: str, expected: GroupState) -> None:
    poll_until(lambda: state(uri, group) == expected, seconds=10, what=str(expected))


def test_a_group_that_nobody_made_has_no_state(eventstore_uri: str) -> None:
    assert state(eventstore_uri, f"group-{uuid4()}") is None


def test_consumers_waiting_and_parked_messages_are_counted(eventstore_uri: str) -> None:
    group, kind = f"group-{uuid4()}", f"Grouped{uuid4().hex}"
    with operating(eventstore_uri) as operator:
        operator.append(f"grouped-{uuid4()}", NewRecord(kind, b"{}"), NewRecord(kind, b"{}"))
        operator.create_group(group, kind)
        with operator.client.read_subscription_to_all(group) as consumer:
            first, _ = next(consumer), next(consumer)
            becomes(eventstore_uri, group, GroupState(consumers=1, is_live=True, waiting=2, parked=0))
            consumer.nack(first, "park")
            becomes(eventstore_uri, group, GroupState(consumers=1, is_live=True, waiting=1, parked=1))
        becomes(eventstore_uri, group, GroupState(consumers=0, is_live=True, waiting=1, parked=1))


def test_nothing_waits_once_all_was_acknowledged_that_came_live(eventstore_uri: str) -> None:
    group, kind, stream = f"group-{uuid4()}", f"Grouped{uuid4().hex}", f"grouped-{uuid4()}"
    with operating(eventstore_uri) as operator:
        operator.create_group(group, kind)
        with operator.client.read_subscription_to_all(group, max_ack_batch_size=1) as consumer:
            becomes(eventstore_uri, group, GroupState(consumers=1, is_live=True, waiting=0, parked=0))
            operator.append(stream, NewRecord(kind, b"{}"))
            message = next(consumer)
            becomes(eventstore_uri, group, GroupState(consumers=1, is_live=True, waiting=1, parked=0))
            consumer.ack(message)
            becomes(eventstore_uri, group, GroupState(consumers=1, is_live=True, waiting=0, parked=0))


def test_the_place_up_to_which_all_is_acknowledged_moves_with_the_oldest_message_alone(eventstore_uri: str) -> None:
    group, kind = f"group-{uuid4()}", f"Grouped{uuid4().hex}"
    with operating(eventstore_uri) as operator:
        operator.append(f"grouped-{uuid4()}", *[NewRecord(kind, b"{}")] * 3)
        operator.create_group(group, kind, min_checkpoint_count=1, checkpoint_after=0.1)
        with operator.client.read_subscription_to_all(group, max_ack_batch_size=1) as consumer:
            first, second, _ = next(consumer), next(consumer), next(consumer)
            before = poll_until(lambda: acknowledged(eventstore_uri, group), seconds=10, what="a first place")
            consumer.ack(second)
            becomes(eventstore_uri, group, GroupState(consumers=1, is_live=True, waiting=2, parked=0))
            assert acknowledged(eventstore_uri, group) == before
            consumer.ack(first)
            poll_until(lambda: acknowledged(eventstore_uri, group) != before, seconds=10, what="a place further on")


def acknowledged(uri: str, group: str) -> str:
    found = state(uri, group)
    assert found is not None
    return found.acknowledged
