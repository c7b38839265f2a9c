"""Whatever the client raises becomes an error of ours that says which store it is about, and why."""

import asyncio
from uuid import uuid4

import pytest
from esdbclient import StreamState
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

from infrastructure.eventstore.client import command_client, reader_client, translated
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.tally import CODEC, connected
from tests.infrastructure.eventstore.appends import closed_port
from tests.infrastructure.eventstore.proxy import line_to


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
        with pytest.raises(StoreUnavailable, match="there is no connection to it"):
            await streams.page(f"tally-{uuid4()}", 0)

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
def test_an_expected_answer_passes_unchanged(answer: EventStoreDBClientException) -> None:
    with pytest.raises(type(answer)), translated("10.0.0.1:2113", type(answer)):
        raise answer


def test_a_store_has_one_identity_for_all_who_ask(eventstore_uri: str) -> None:
    with open_reader(eventstore_uri) as first, open_reader(eventstore_uri) as second:
        known = store_identity(first)
        assert [store_identity(second), store_identity(first)] == [known, known]


def test_a_store_that_is_away_has_no_identity() -> None:
    with open_reader(f"esdb://127.0.0.1:{closed_port()}?tls=false") as reader, pytest.raises(StoreUnavailable):
        store_identity(reader)


def test_a_client_full_of_subscriptions_leaves_the_calls_of_another_alone(eventstore_uri: str) -> None:
    async def run() -> None:
        async with connected(eventstore_uri) as full, connected(eventstore_uri) as free:
            joining = (full.subscribe_to_all(from_end=True) for _ in range(100))
            subscriptions = await asyncio.wait_for(asyncio.gather(*joining), 20.0)
            assert await free.get_current_version("foldstream-nowhere", timeout=5.0) is StreamState.NO_STREAM
            assert len(subscriptions) == 100

    asyncio.run(run())
