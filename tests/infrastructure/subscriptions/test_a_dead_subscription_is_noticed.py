"""A subscription that says nothing may have nothing to say: it is dead where the log holds what it has not sent."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from uuid import uuid4

import pytest

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.frames import CaughtUp
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.record_messages import RecordMessage, record_in
from infrastructure.subscriptions.catch_up import CatchUp
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.eventstore.proxy import Line, line_to

SECONDS = 0.4


@pytest.fixture
def category() -> str:
    return f"silent{uuid4().hex[:12]}"


@contextmanager
def followed(uri: str, category: str) -> Iterator[CatchUp[str]]:
    """A subscription that asks after its silence has lasted for 0.4 seconds; it has come to the end of the log."""
    with open_reader(uri) as reader, CatchUp(reader, f"(?:{category}-.*)", None, read, silence_seconds=SECONDS) as it:
        assert any(CaughtUp() in batch for batch in it.batches())
        yield it


def read(message: RecordMessage) -> str:
    return record_in(message).type


def write(uri: str, category: str, name: str) -> int:
    """The position of the event."""
    with operating(uri) as operator:
        return operator.append(f"{category}-{uuid4()}", NewRecord(name, b"{}"))


def ended_after(silence: Callable[[Line], None], uri: str, category: str) -> tuple[int, StoreUnavailable]:
    """Follows over a line that falls silent at the end of the log; where a later event lies, and the end of it."""

    def follow(line: Line, through: str) -> tuple[int, StoreUnavailable]:
        with followed(through, category) as subscription:
            silence(line)
            position = write(uri, category, "Second")
            with pytest.raises(StoreUnavailable) as end:
                drain(subscription)
        return position, end.value

    async def run() -> tuple[int, StoreUnavailable]:
        async with line_to(uri) as (line, through):
            return await asyncio.to_thread(follow, line, through)

    return asyncio.run(run())


def drain(subscription: CatchUp[str]) -> None:
    """Until it ends; no event may come."""
    for batch in subscription.batches():
        assert "Second" not in batch


def test_one_that_has_nothing_to_say_is_left_alone(eventstore_uri: str, category: str) -> None:
    write(eventstore_uri, category, "First")
    with followed(eventstore_uri, category) as subscription:
        batches = subscription.batches()
        assert list(islice(batches, 4)) == [[]] * 4  # half a second each: it asks in between
        write(eventstore_uri, category, "Second")
        assert any("Second" in batch for batch in islice(batches, 20))


def test_one_whose_connection_is_held_up_is_dead(eventstore_uri: str, category: str) -> None:
    """As by a proxy, or by a server that answers everything but this subscription."""
    position, end = ended_after(Line.hold, eventstore_uri, category)
    assert end.reason == f"the subscription is silent, though the log holds a record for it at {position}"


def test_one_whose_server_answers_nobody_any_more_is_dead(eventstore_uri: str, category: str) -> None:
    """As when the machine is gone, or the process is stopped."""
    _, end = ended_after(Line.mute, eventstore_uri, category)
    assert end.is_away
    assert "silent" not in end.reason
