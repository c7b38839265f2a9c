"""What is kept for a consumer that does not take what it was sent."""

import asyncio

import pytest

from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.consumer_connection import ConsumerConnection
from infrastructure.embedded.eventstoredb.groups.errors import GroupDropped
from infrastructure.embedded.eventstoredb.groups.message import Message
from tests.infrastructure.embedded.eventstoredb.groups.story import event


def delivered(reader: ConsumerConnection, number: int, data: bytes = b"") -> Message:
    record = event(number, data=data)
    message = Message(record, record, number, None)
    reader.consumer.begin(message)
    reader.put(message)
    return message


def test_what_was_taken_from_it_meanwhile_is_not_sent_any_more() -> None:
    reader = ConsumerConnection(Consumer(slots=2), 0.0)
    late = delivered(reader, 0)
    reader.consumer.finish(late.id)
    in_time = delivered(reader, 1)
    assert asyncio.run(reader.next_batch()) == [in_time]


def test_no_more_is_kept_than_it_has_slots() -> None:
    reader = ConsumerConnection(Consumer(slots=2), 0.0)
    for number in range(100):
        reader.consumer.finish(delivered(reader, number).id)
    last = delivered(reader, 100)
    assert len(reader._outbox) <= 2
    assert asyncio.run(reader.next_batch()) == [last]


def test_what_is_sent_at_once_has_a_limit_in_bytes() -> None:
    reader = ConsumerConnection(Consumer(slots=10), 0.0)
    messages = [delivered(reader, number, bytes(40_000)) for number in range(3)]
    assert asyncio.run(reader.next_batch()) == messages[:2]
    assert asyncio.run(reader.next_batch()) == messages[2:]


def test_a_reader_that_was_dropped_gets_nothing_more() -> None:
    reader = ConsumerConnection(Consumer(slots=10), 0.0)
    delivered(reader, 0)
    reader.drop(GroupDropped("source", "group"))
    with pytest.raises(GroupDropped):
        asyncio.run(reader.next_batch())
