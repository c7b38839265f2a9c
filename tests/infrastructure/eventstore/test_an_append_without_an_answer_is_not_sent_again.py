"""An append whose answer does not come may have happened; it is never sent again, and the next one finds a new call."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from esdbclient import AsyncEventStoreDBClient, StreamState

from infrastructure.eventstore.appender import Appended, Appender
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.stories import until_version
from tests.infrastructure.commands.tally import CODEC, connected
from tests.infrastructure.eventstore.appends import new_stream, noted, seconds_of_the_loop, sent, texts_in
from tests.infrastructure.eventstore.proxy import line_to
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until_async

WRITERS = 6
APPENDS = 60


async def again(appender: Appender, stream: str, version: int) -> Appended:
    """The answer to an append that is tried until the connection is there again."""

    async def answer() -> Appended | None:
        with suppress(StoreUnavailable):
            return await appender.append(stream, version, [noted()])
        return None

    answered = await poll_until_async(answer, 10.0, what=f"an answer to an append to {stream}")
    assert answered is not None
    return answered


def test_a_lost_answer_is_told_in_time_and_the_append_stands(eventstore_uri: str) -> None:
    async def run() -> None:
        async with (
            connected(eventstore_uri) as direct,
            line_to(eventstore_uri) as (line, uri),
            connected(uri) as client,
        ):
            appender, stream, record = Appender(client, seconds=0.6), new_stream(), noted()
            line.mute_at = b"Noted"
            with seconds_of_the_loop() as taken, pytest.raises(StoreUnavailable) as told:
                await appender.append(stream, -1, [record])
            assert 0.55 < taken[0] < 1.5
            assert (told.value.address, told.value.reason) == (line.address, "no answer within 0.6 s")
            line.restore()
            assert await texts_in(direct, stream) == [record.data]
            assert (await again(appender, stream, 0)).version == 1

    asyncio.run(run())


def test_a_cut_connection_is_told_to_all_at_once_and_the_next_append_works(eventstore_uri: str) -> None:
    async def run() -> None:
        async with (
            connected(eventstore_uri) as direct,
            line_to(eventstore_uri) as (line, uri),
            connected(uri) as client,
        ):
            appender, streams = Appender(client, seconds=20.0), [new_stream() for _ in range(30)]
            await appender.append(new_stream(), -1, [noted()])
            line.mute()
            made = [sent(appender.append(stream, -1, [noted()])) for stream in streams]
            for stream in streams:
                await until_version(direct, stream, 0)
            with seconds_of_the_loop() as taken:
                line.restore()
                told = await asyncio.gather(*made)
            assert taken[0] < 5.0
            assert {type(each) for each in told} == {StoreUnavailable}
            answers = await asyncio.gather(*(again(appender, stream, 0) for stream in streams))
            assert {answer.version for answer in answers} == {1}

    asyncio.run(run())


def test_an_append_that_never_arrived_is_not_sent_again(eventstore_uri: str) -> None:
    async def run() -> None:
        async with (
            connected(eventstore_uri) as direct,
            line_to(eventstore_uri) as (line, uri),
            connected(uri) as client,
        ):
            appender, stream = Appender(client), new_stream()
            line.cut_at = b"Noted"
            with pytest.raises(StoreUnavailable):
                await appender.append(stream, -1, [noted()])
            assert (await again(appender, new_stream(), -1)).version == 0
            assert await direct.get_current_version(stream) is StreamState.NO_STREAM
            assert line.cuts == 1

    asyncio.run(run())


def test_nobody_listening_is_told_at_once_and_found_when_it_comes() -> None:
    async def run(process: EventStoreProcess) -> None:
        async with connected(process.uri) as client:
            appender = Appender(client)
            with pytest.raises(StoreUnavailable) as told:
                await appender.append(new_stream(), -1, [noted()])
            assert "refused" in told.value.reason.lower()
            await asyncio.to_thread(process.start)
            assert (await again(appender, new_stream(), -1)).version == 0

    with EventStoreProcess(None) as process:
        process.kill()
        asyncio.run(run(process))


def test_a_store_killed_under_load_keeps_every_answered_append_once(tmp_path: Path) -> None:
    async def run(process: EventStoreProcess) -> None:
        async with connected(process.uri) as client:
            appender, written = Appender(client), asyncio.Semaphore(0)
            writers = [asyncio.create_task(write(client, appender, written)) for _ in range(WRITERS)]
            for _ in range(2):
                for _ in range(WRITERS * APPENDS // 4):
                    await asyncio.wait_for(written.acquire(), 20.0)
                await asyncio.to_thread(process.kill)
                await asyncio.to_thread(process.start)
            assert sum(await asyncio.gather(*writers)) > 0

    with EventStoreProcess(tmp_path) as process:
        asyncio.run(run(process))


async def write(client: AsyncEventStoreDBClient, appender: Appender, written: asyncio.Semaphore) -> int:
    """Fills a stream and compares it with the answers; how many of them never came."""
    stream, known, lost = new_stream(), list[bytes](), 0
    async with asyncio.timeout(60.0):
        while len(known) < APPENDS:
            record = noted()
            try:
                answer = await appender.append(stream, len(known) - 1, [record])
            except StoreUnavailable:
                lost += 1
                known = await stored(client, stream, known)
            else:
                assert answer.version == len(known)
                known.append(record.data)
                written.release()
        assert await stored(client, stream, known) == known
    return lost


async def stored(client: AsyncEventStoreDBClient, stream: str, known: list[bytes]) -> list[bytes]:
    """What a stream says, first of all what is known; asked of a store that may be about to start."""
    reading = Streams(client, CODEC)

    async def texts() -> list[bytes] | None:
        with suppress(StoreUnavailable):
            return [b"", *(record.data for record in await reading.records(stream, 0, 500) or ())]
        return None

    found = (await poll_until_async(texts, 30.0, what=f"the records of {stream}") or [])[1:]
    assert found[: len(known)] == known
    return found


def test_a_client_that_is_closed_leaves_nothing(eventstore_uri: str) -> None:
    async def run() -> None:
        before = asyncio.all_tasks()
        async with connected(eventstore_uri) as client:
            await Appender(client).append(new_stream(), -1, [noted()])
            with seconds_of_the_loop() as taken:
                await client.close()
            assert taken[0] < 1.0
            for task in asyncio.all_tasks() - before:  # gRPC's own, which have yet to hear of the end
                await asyncio.wait({task}, timeout=1.0)
            assert asyncio.all_tasks() == before

    asyncio.run(run())


def test_a_client_that_is_closed_under_appends_tells_their_callers(eventstore_uri: str) -> None:
    async def run() -> None:
        async with line_to(eventstore_uri) as (line, uri), connected(uri) as client:
            appender = Appender(client)
            await appender.append(new_stream(), -1, [noted()])
            line.mute()
            waiting = [sent(appender.append(new_stream(), -1, [noted()])) for _ in range(3)]
            await line.heard()
            await client.close()
            told = await asyncio.gather(*waiting)
            assert [getattr(each, "reason", None) for each in told] == ["the connection was closed"] * 3
            with pytest.raises(StoreUnavailable, match="there is no connection to it"):
                await appender.append(new_stream(), -1, [noted()])

    asyncio.run(run())
