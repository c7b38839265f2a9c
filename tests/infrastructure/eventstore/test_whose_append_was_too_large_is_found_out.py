"""A store or a proxy may end a whole call for one append that is too large: that one is refused, the others go on."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest
from esdbclient import AsyncEventStoreDBClient

from infrastructure.eventstore.appender import Appended, Appender
from infrastructure.eventstore.client import is_for_size
from infrastructure.eventstore.errors import EventStoreError, EventTooLarge, StoreUnavailable
from tests.infrastructure.commands.stories import stored
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.appends import at, new_stream, noted, sent
from tests.infrastructure.eventstore.limited import limited
from tests.infrastructure.eventstore.playing import Playing
from tests.infrastructure.eventstore.scripted import is_answered, success, tell
from tests.support.eventstore import EventStoreProcess

TAKEN = 20_000
LARGE = noted("x" * TAKEN)
FOR_SIZE = grpc.StatusCode.RESOURCE_EXHAUSTED
WORDS = "RESOURCE_EXHAUSTED: as it was told to"


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    """A store behind a proxy that takes messages of so many bytes."""
    with EventStoreProcess(None) as store, limited(store.uri, TAKEN) as through:
        yield through


async def until_answered(appender: Appender, stream: str, size: int) -> Appended | EventStoreError:
    """What an append ends in that is sent again as commands are: after the stream was looked at."""
    while isinstance(outcome := await sent(appender.append(stream, -1, [noted("x" * size)])), StoreUnavailable):
        assert outcome.for_size
    return outcome


def test_the_one_that_is_too_large_is_refused_and_all_others_go_on(uri: str) -> None:
    async def run() -> None:
        async with connected(uri) as client:
            appender = Appender(client)
            sizes = [TAKEN, *[10, TAKEN // 2, 2 * TAKEN] * 10]
            streams = [new_stream() for _ in sizes]
            made = [until_answered(appender, *each) for each in zip(streams, sizes, strict=True)]
            outcomes = await asyncio.gather(*made)
            assert [isinstance(each, EventTooLarge) for each in outcomes] == [size >= TAKEN for size in sizes]
            assert {each.stream for each in outcomes if isinstance(each, EventTooLarge)} <= set(streams)
            assert [len(await stored(client, stream)) for stream in streams] == [size < TAKEN for size in sizes]

    asyncio.run(run())


def test_what_was_in_flight_beside_it_may_have_happened() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client)
        made = [sent(appender.append(new_stream(), -1, [record])) for record in (noted(), LARGE, noted())]
        for _ in made:
            await node.next_asked()
        node.end(FOR_SIZE)
        told = await asyncio.gather(*made)
        assert [(type(each), getattr(each, "reason", "")) for each in told] == [(StoreUnavailable, WORDS)] * 3

    tell(story)


def test_the_largest_goes_on_a_call_of_its_own_and_is_named_if_that_ends_so_too() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender, stream = Appender(client), new_stream()
        await _end_for_size(appender, node)
        small = sent(appender.append(new_stream(), -1, [noted()]))
        asked = await node.next_asked()
        node.answer(asked, success())
        assert await small == at(0, 7)
        large = sent(appender.append(stream, -1, [LARGE]))
        await node.next_asked()
        node.end(FOR_SIZE)
        refused = await large
        assert isinstance(refused, EventTooLarge)
        assert (refused.stream, refused.reason) == (stream, WORDS)
        assert len(node.calls) == 3

    tell(story)


def test_one_that_is_answered_alone_is_suspected_no_more() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client)
        await _end_for_size(appender, node)
        for _ in range(2):
            made = sent(appender.append(new_stream(), -1, [LARGE]))
            node.answer(await node.next_asked(), success())
            assert await made == at(0, 7)
        assert await is_answered(appender, node)
        assert len(node.calls) == 3  # the first, that of its own, and the one that all share since

    tell(story)


def test_nothing_is_suspected_where_as_much_was_answered_on_the_call() -> None:
    """A limit on calls, or on all that a call carries, says the same as one on messages."""

    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client)
        assert await is_answered(appender, node)
        made = sent(appender.append(new_stream(), -1, [noted()]))
        await node.next_asked()
        node.end(FOR_SIZE)
        assert isinstance(await made, StoreUnavailable)
        assert await is_answered(appender, node)
        assert await is_answered(appender, node)
        assert len(node.calls) == 2

    tell(story)


@pytest.mark.parametrize(
    ("status", "words", "for_size"),
    [
        (FOR_SIZE, "", True),
        (FOR_SIZE, "SERVER: Received message larger than max (20050 vs. 20000)", True),
        (grpc.StatusCode.OUT_OF_RANGE, "decoded message length too large: found 20050 bytes", True),
        (grpc.StatusCode.INTERNAL, "gRPC message exceeds maximum size 20000: 20050", True),
        (grpc.StatusCode.UNKNOWN, "Received message exceeds the maximum configured message size.", True),
        (grpc.StatusCode.FAILED_PRECONDITION, "Received http2 header with status: 413", True),
        (None, "Record is too big.", True),
        (grpc.StatusCode.UNAVAILABLE, "Received http2 header with status: 503", False),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", False),
    ],
)
def test_a_refusal_for_size_is_known_by_its_status_or_its_words(
    status: grpc.StatusCode | None, words: str, for_size: bool
) -> None:
    assert is_for_size(status, words) == for_size


async def _end_for_size(appender: Appender, node: Playing) -> None:
    """A large append and another are in flight when the store ends their call."""
    made = [sent(appender.append(new_stream(), -1, [record])) for record in (LARGE, noted())]
    for _ in made:
        await node.next_asked()
    node.end(FOR_SIZE)
    assert {type(each) for each in await asyncio.gather(*made)} == {StoreUnavailable}
