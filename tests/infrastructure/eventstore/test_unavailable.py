"""A store that is away, silent or cut off in the middle costs time, never an effect or an answer."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from esdbclient import AsyncEventStoreDBClient, StreamState
from esdbclient.exceptions import (
    ConsumerTooSlow,
    DiscoveryFailed,
    EventStoreDBClientException,
    GrpcDeadlineExceeded,
    NodeIsNotLeader,
    NotFound,
    ServiceUnavailable,
    WrongCurrentVersion,
)

from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Outcome
from infrastructure.eventstore.client import command_client, reader_client, translated
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.eventstore.proxy import Line, line_to
from tests.infrastructure.eventstore.tally import CODEC, Count, OpenTally, connected, decider, request

Story = Callable[[AsyncEventStoreDBClient, CommandHandler, Line, str], Awaitable[None]]


def tell(uri: str, story: Story) -> None:
    """Runs a story with a client straight to the store, a handler behind a line, and a tally that is open."""

    async def run() -> None:
        async with connected(uri) as direct, line_to(uri) as (line, through), connected(through) as client:
            tally = str(uuid4())
            opening = OpenTally(tally_id=tally, limit=Decimal(10))
            await CommandHandler(direct, CODEC).handle(decider, opening, request())
            await story(direct, CommandHandler(client, CODEC), line, tally)

    asyncio.run(run())


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def until_version(client: AsyncEventStoreDBClient, stream: str, version: int) -> None:
    """Asks the store itself until the stream has come so far; within ten seconds."""
    async with asyncio.timeout(10.0):
        while await client.get_current_version(stream) != version:
            continue


def test_an_append_whose_answer_was_lost_is_found_and_answered(eventstore_uri: str) -> None:
    async def story(direct: AsyncEventStoreDBClient, handler: CommandHandler, line: Line, tally: str) -> None:
        asked = request()
        line.mute_at = b"Counted"
        sent = asyncio.create_task(handler.handle(decider, Count(tally_id=tally, by=Decimal(10)), asked))
        await until_version(direct, f"tally-{tally}", 2)
        line.restore()
        answer = await sent
        assert (len(answer.events), answer.version) == (2, 2)
        assert not answer.repeated
        again = await CommandHandler(direct, CODEC).handle(decider, Count(tally_id=tally, by=Decimal(10)), asked)
        assert (again.events, again.version, again.position) == (answer.events, answer.version, answer.position)
        assert await direct.get_current_version(f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_an_append_without_an_answer_in_time_is_looked_for(eventstore_uri: str) -> None:
    async def story(direct: AsyncEventStoreDBClient, handler: CommandHandler, line: Line, tally: str) -> None:
        line.mute_at = b"Counted"
        sent = asyncio.create_task(handler.handle(decider, Count(tally_id=tally, by=Decimal(10)), request()))
        await asyncio.wait({sent}, timeout=2.6)  # longer than a call may take
        line.restore()
        answer = await sent
        assert (len(answer.events), answer.version, answer.repeated) == (2, 2, False)
        assert await direct.get_current_version(f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_an_append_that_never_arrived_is_sent_again_and_happens_once(eventstore_uri: str) -> None:
    async def story(direct: AsyncEventStoreDBClient, handler: CommandHandler, line: Line, tally: str) -> None:
        line.cut_at = b"Counted"
        answer = await handler.handle(decider, Count(tally_id=tally, by=Decimal(10)), request())
        assert (len(answer.events), answer.version) == (2, 2)
        assert line.cuts == 1
        assert await direct.get_current_version(f"tally-{tally}") == 2

    tell(eventstore_uri, story)


def test_a_store_that_stays_silent_is_reported_within_seconds(eventstore_uri: str) -> None:
    async def story(direct: AsyncEventStoreDBClient, handler: CommandHandler, line: Line, tally: str) -> None:
        command = Count(tally_id=tally, by=Decimal(1))
        await handler.handle(decider, command, request())
        line.mute()
        began = time.monotonic()
        with pytest.raises(StoreUnavailable) as refusal:
            await handler.handle(decider, command, request())
        assert time.monotonic() - began < 8.0
        assert refusal.value.address == line.address
        assert "no answer within" in refusal.value.reason

    tell(eventstore_uri, story)


def test_the_handler_recovers_by_itself_when_the_store_is_back(eventstore_uri: str) -> None:
    async def story(direct: AsyncEventStoreDBClient, handler: CommandHandler, line: Line, tally: str) -> None:
        command = Count(tally_id=tally, by=Decimal(1))
        line.refuse()
        with pytest.raises(StoreUnavailable):
            await handler.handle(decider, command, request())
        line.restore()
        assert isinstance(await handler.handle(decider, command, request()), Outcome)

    tell(eventstore_uri, story)


def test_cancelling_a_caller_cancels_it(eventstore_uri: str) -> None:
    async def story(direct: AsyncEventStoreDBClient, handler: CommandHandler, line: Line, tally: str) -> None:
        line.mute()
        sent = asyncio.create_task(handler.handle(decider, Count(tally_id=tally, by=Decimal(1)), request()))
        await line.heard()
        sent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(sent, 1.0)

    tell(eventstore_uri, story)


def test_a_read_that_was_cut_off_is_not_taken_for_a_whole_one(eventstore_uri: str) -> None:
    async def run() -> None:
        async with line_to(eventstore_uri) as (line, through), connected(through) as client:
            line.mute()
            reading = asyncio.create_task(Streams(client, CODEC).page(f"tally-{uuid4()}", 0))
            await line.heard()
            await client.close()
            with pytest.raises(StoreUnavailable):
                await reading

    asyncio.run(run())


def test_a_client_that_was_closed_is_a_store_that_is_away(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as client:
            streams = Streams(client, CODEC)
        with pytest.raises(StoreUnavailable, match="the client was closed"):
            await streams.page(f"tally-{uuid4()}", 0)

    asyncio.run(run())


def test_a_port_where_nobody_listens_is_named() -> None:
    async def run() -> None:
        address = f"127.0.0.1:{closed_port()}"
        async with connected(f"esdb://{address}?tls=false") as client:
            opening = OpenTally(tally_id=str(uuid4()), limit=Decimal(10))
            with pytest.raises(StoreUnavailable) as refusal:
                await CommandHandler(client, CODEC).handle(decider, opening, request())
        assert refusal.value.address == address
        assert "refused" in refusal.value.reason.lower()

    asyncio.run(run())


def test_a_cluster_where_nobody_answers_is_named() -> None:
    first, second = closed_port(), closed_port()
    uri = f"esdb://127.0.0.1:{first},127.0.0.1:{second}?tls=false&MaxDiscoverAttempts=1"
    with pytest.raises(StoreUnavailable) as refusal:
        asyncio.run(command_client(uri))
    assert refusal.value.address == f"127.0.0.1:{first},127.0.0.1:{second}"
    with pytest.raises(StoreUnavailable):
        reader_client(uri)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ServiceUnavailable("connection refused"), "ServiceUnavailable: connection refused"),
        (GrpcDeadlineExceeded(), "GrpcDeadlineExceeded"),
        (NodeIsNotLeader(), "NodeIsNotLeader"),
        (DiscoveryFailed("nobody answers"), "DiscoveryFailed: nobody answers"),
        (ConsumerTooSlow(), "ConsumerTooSlow"),
        (
            EventStoreDBClientException('type_url: "type.googleapis.com/google.protobuf.Empty"'),
            'not ready: type_url: "type.googleapis.com/google.protobuf.Empty"',
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_may_succeed_later_is_a_store_that_is_away(error: Exception, reason: str) -> None:
    with pytest.raises(StoreUnavailable) as refusal, translated("10.0.0.1:2113"):
        raise error
    assert (refusal.value.address, refusal.value.reason) == ("10.0.0.1:2113", reason)
    assert refusal.value.__cause__ is error


@pytest.mark.parametrize("answer", [NotFound(), WrongCurrentVersion()], ids=lambda answer: type(answer).__name__)
def test_an_answer_passes_unchanged(answer: Exception) -> None:
    with pytest.raises(type(answer)), translated("10.0.0.1:2113"):
        raise answer


def test_a_store_has_one_identity_for_all_who_ask(eventstore_uri: str) -> None:
    first, second = reader_client(eventstore_uri), reader_client(eventstore_uri)
    assert store_identity(first) == store_identity(second) == store_identity(first)
    first.close()
    second.close()


def test_a_store_that_is_away_has_no_identity() -> None:
    client = reader_client(f"esdb://127.0.0.1:{closed_port()}?tls=false")
    with pytest.raises(StoreUnavailable):
        store_identity(client)
    client.close()


def test_a_client_full_of_subscriptions_leaves_the_calls_of_another_alone(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as full, connected(eventstore_uri) as free:
            joining = (full.subscribe_to_all(from_end=True) for _ in range(100))
            subscriptions = await asyncio.wait_for(asyncio.gather(*joining), 20.0)
            assert await free.get_current_version("foldstream-nowhere", timeout=5.0) is StreamState.NO_STREAM
            assert len(subscriptions) == 100

    asyncio.run(run())


def test_a_node_of_a_cluster_that_comes_back_is_found_again_under_load(eventstore_uri: str) -> None:
    async def run() -> None:
        async with line_to(eventstore_uri) as (line, _):
            uri = f"esdb://127.0.0.1:{closed_port()},{line.address}?tls=false&MaxDiscoverAttempts=2&GossipTimeout=1"
            async with connected(uri) as client:
                handler = CommandHandler(client, CODEC, bounds=Bounds(patience=10.0))

                async def open_tallies() -> int:
                    for _ in range(10):
                        opening = OpenTally(tally_id=str(uuid4()), limit=Decimal(1))
                        assert (await handler.handle(decider, opening, request())).version == 0
                    return 10

                opening = [asyncio.create_task(open_tallies()) for _ in range(8)]
                await asyncio.wait(opening, timeout=0.05)
                line.refuse()
                await asyncio.wait(opening, timeout=0.2)
                line.restore()
                assert await asyncio.gather(*opening) == [10] * 8

    asyncio.run(run())
