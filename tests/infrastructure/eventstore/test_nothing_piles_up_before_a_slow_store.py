"""Nothing piles up before a store that is slow: callers are told at once, and who is gone leaves nothing behind."""

import asyncio
import gc
import tracemalloc
from functools import partial

import grpc
import pytest
from esdbclient import AsyncEventStoreDBClient
from esdbclient.protos.Grpc import shared_pb2
from esdbclient.protos.Grpc.code_pb2 import RESOURCE_EXHAUSTED
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp
from google.protobuf.empty_pb2 import Empty

from infrastructure.eventstore.appender import Appended, Appender
from infrastructure.eventstore.errors import AppendRefused, EventStoreError, EventTooLarge, Overloaded, StoreUnavailable
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.tally import CODEC, connected
from tests.infrastructure.eventstore.appends import at, new_stream, noted, seconds_of_the_loop, sent
from tests.infrastructure.eventstore.playing import Deposed, Playing
from tests.infrastructure.eventstore.scripted import failure, is_answered, success, tell
from tests.infrastructure.eventstore.silent_store import running
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until_async


def test_more_appends_than_may_wait_are_refused_at_once_until_one_is_answered() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client, in_flight=3)
        made = [sent(appender.append(new_stream(), -1, [noted()])) for _ in range(3)]
        asked = [await node.next_asked() for _ in made]
        with pytest.raises(Overloaded) as refusal:
            await appender.append(new_stream(), -1, [noted()])
        assert refusal.value.waiting == 3
        node.answer(asked[1], success(5))
        assert await made[1] == at(5, 7)
        assert await is_answered(appender, node)
        node.answer(asked[0], success())
        node.answer(asked[2], success())
        assert await asyncio.gather(*made) == [at(0, 7), at(5, 7), at(0, 7)]
        assert len(node.calls) == 1

    tell(story)


def test_appends_are_refused_at_once_while_the_store_is_silent_for_long() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client, seconds=3.0)
        oldest = sent(appender.append(new_stream(), -1, [noted()]))
        first = await node.next_asked()
        await asyncio.wait({oldest}, timeout=1.6)
        probing = sent(appender.append(new_stream(), -1, [noted()]))
        second = await node.next_asked()
        with seconds_of_the_loop() as taken, pytest.raises(Overloaded) as refusal:
            await appender.append(new_stream(), -1, [noted()])
        assert taken[0] < 1.0
        assert refusal.value.waiting == 2
        node.answer(first, success())
        node.answer(second, success())
        assert [await oldest, await probing] == [at(0, 7)] * 2
        assert await is_answered(appender, node)
        assert len(node.calls) == 1

    tell(story)


def test_after_a_silence_one_append_at_a_time_finds_out_whether_it_is_over() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client, seconds=0.5)
        with pytest.raises(StoreUnavailable, match=r"no answer within 0\.5 s"):
            await appender.append(new_stream(), -1, [noted()])
        await node.next_asked()
        probing = sent(appender.append(new_stream(), -1, [noted()]))
        asked = await node.next_asked()
        with seconds_of_the_loop() as taken, pytest.raises(Overloaded):
            await appender.append(new_stream(), -1, [noted()])
        assert taken[0] < 1.0
        node.answer(asked, success())
        assert await probing == at(0, 7)
        both = [sent(appender.append(new_stream(), -1, [noted()])) for _ in range(2)]
        for _ in both:
            node.answer(await node.next_asked(), success())
        assert await asyncio.gather(*both) == [at(0, 7)] * 2

    tell(story)


def test_a_call_that_answers_nothing_is_given_up_for_another() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client, seconds=0.5)
        with seconds_of_the_loop() as taken, pytest.raises(StoreUnavailable, match=r"no answer within 0\.5 s"):
            await appender.append(new_stream(), -1, [noted()])
        assert 0.45 < taken[0] < 1.5
        await node.next_asked()
        assert await is_answered(appender, node)
        assert len(node.calls) == 2

    tell(story)


async def _is_through(node: Playing, heard: int, made: "asyncio.Task[Appended | EventStoreError]") -> bool:
    return made.done() or node.heard > heard


def test_nor_do_callers_who_give_up_early_keep_it_open() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender, refused = Appender(client, seconds=0.6), 0
        async with asyncio.timeout(20.0):
            while len(node.calls) < 2:
                heard, made = node.heard, sent(appender.append(new_stream(), -1, [noted()]))
                await poll_until_async(partial(_is_through, node, heard, made), 10.0, what="a request or a refusal")
                refused += made.done() and isinstance(made.result(), Overloaded)
                made.cancel()
        assert refused > 0

    tell(story)


def test_a_caller_who_is_gone_leaves_nothing() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client, seconds=60.0, in_flight=100)
        tracemalloc.start()
        for _ in range(40):
            made = [sent(appender.append(new_stream(), -1, [noted("x" * 10_000)])) for _ in range(100)]
            refusal = await sent(appender.append(new_stream(), -1, [noted()]))
            assert getattr(refusal, "waiting", None) == 100  # they wait
            for each in made:
                each.cancel()
            ended = await asyncio.gather(*made, return_exceptions=True)
            assert {type(each) for each in ended} == {asyncio.CancelledError}
        del made, each, ended, refusal  # their tracebacks hold what was offered
        await asyncio.to_thread(gc.collect)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 1_000_000  # of the 40,000,000 bytes that were offered

    tell(story)


def test_more_appends_than_a_connection_takes_calls_share_one() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        streams = Streams(client, CODEC)
        made = [sent(streams.append(new_stream(), -1, [noted()])) for _ in range(120)]
        for _ in made:
            node.answer(await node.next_asked(), success())
        assert await asyncio.gather(*made) == [at(0, 7)] * 120
        assert len(node.calls) == 1

    tell(story)


def test_a_late_answer_to_nobody_is_passed_over() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client)
        gone = sent(appender.append(new_stream(), -1, [noted()]))
        asked = await node.next_asked()
        gone.cancel()
        node.answer(asked, success())
        node.answer(asked, success())
        assert await is_answered(appender, node)
        assert len(node.calls) == 1

    tell(story)


def test_the_store_is_told_the_deadline_and_that_it_must_be_the_leader() -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        made = sent(Appender(client, seconds=1.5).append("note-0", 4, [noted()]))
        asked = await node.next_asked()
        node.answer(asked, success(5))
        assert await made == at(5, 7)
        assert (asked.options.deadline.seconds, asked.options.deadline.nanos) == (1, 500_000_000)
        assert (asked.options.stream_identifier.stream_name, asked.options.stream_position) == (b"note-0", 4)
        [metadata] = node.calls
        assert metadata["requires-leader"] == "true"
        assert metadata["connection-name"] == client.connection_spec.options.ConnectionName

    tell(story)


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (failure(shared_pb2.Timeout(), "Timeout"), StoreUnavailable, "Timeout: its own log may say why"),
        (failure(shared_pb2.Unknown(), "Unknown"), StoreUnavailable, "Unknown: its own log may say why"),
        (failure(Empty(), "Server Is Not Ready"), StoreUnavailable, "Empty: Server Is Not Ready"),
        (BatchAppendResp(), StoreUnavailable, "an answer without words"),
        (failure(shared_pb2.AccessDenied()), AppendRefused, "AccessDenied"),
        (
            failure(shared_pb2.MaximumAppendSizeExceeded(maxAppendSize=9)),
            EventTooLarge,
            "MaximumAppendSizeExceeded max size is 9",
        ),
        (failure(Empty(), "too large", RESOURCE_EXHAUSTED), EventTooLarge, "Empty too large"),
        (failure(shared_pb2.InvalidTransaction()), AppendRefused, "InvalidTransaction"),
        (failure(shared_pb2.BadRequest(message="no type")), AppendRefused, "BadRequest no type"),
    ],
    ids=lambda value: value.error.details.type_url.rpartition(".")[2] if isinstance(value, BatchAppendResp) else "",
)
def test_a_refusal_concerns_one_append_alone(
    answer: BatchAppendResp, error: type[EventStoreError], reason: str
) -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client)
        made, other = (sent(appender.append(new_stream(), -1, [noted()])) for _ in range(2))
        refused, asked = await node.next_asked(), await node.next_asked()
        node.answer(refused, answer)
        node.answer(asked, success())
        told = await made
        assert (type(told), getattr(told, "reason", "")) == (error, reason)
        assert await other == at(0, 7)
        assert len(node.calls) == 1

    tell(story)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (grpc.StatusCode.OK, "the store ended the call"),
        (grpc.StatusCode.UNAVAILABLE, "ServiceUnavailable: as it was told to"),
        (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED: as it was told to"),
        (grpc.StatusCode.NOT_FOUND, "NotFound"),
    ],
    ids=lambda value: value.name if isinstance(value, grpc.StatusCode) else "",
)
def test_a_call_that_ends_ends_all_appends_on_it_and_the_next_opens_another(
    status: grpc.StatusCode, reason: str
) -> None:
    async def story(client: AsyncEventStoreDBClient, node: Playing) -> None:
        appender = Appender(client)
        made = [sent(appender.append(new_stream(), -1, [noted()])) for _ in range(5)]
        for _ in made:
            await node.next_asked()
        node.end(status)
        told = await asyncio.gather(*made)
        assert [(type(each), getattr(each, "reason", "")) for each in told] == [(StoreUnavailable, reason)] * 5
        assert await is_answered(appender, node)
        assert len(node.calls) == 2

    tell(story)


def test_a_node_that_is_no_longer_the_leader_names_the_one_that_is() -> None:
    async def run(deposed: str, leader: EventStoreProcess, node: Deposed) -> None:
        uri = deposed.replace("?", ",127.0.0.1:1?")
        async with connected(uri) as client:
            appender, stream = Appender(client), new_stream()
            made = [sent(appender.append(stream, -1, [noted()])) for _ in range(3)]
            told = await asyncio.gather(*made)
            assert {type(each) for each in told} == {StoreUnavailable}
            assert node.asked == 1
            assert (await appender.append(stream, -1, [noted()])).version == 0
            assert client.connection_target in leader.uri

    with EventStoreProcess(None) as leader:
        node = Deposed(leader.uri)
        with running(node) as deposed:
            asyncio.run(run(deposed, leader, node))
