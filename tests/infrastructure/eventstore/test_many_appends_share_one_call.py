"""Many appends share one call, and each gets the answer to itself."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from esdbclient import AsyncEventStoreDBClient, StreamState

from infrastructure.eventstore.append_messages import LARGEST
from infrastructure.eventstore.appender import Appended, Appender
from infrastructure.eventstore.errors import AppendRefused, EventTooLarge, StreamGone, WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.appends import new_stream, noted, sent, texts_in
from tests.support.embedded import only_embedded
from tests.support.secure import SecureEventStore

LIMIT = "MaximumAppendSizeExceeded max size is 1048576"
limited = only_embedded("newer servers take appends up to the size of a chunk")
Story = Callable[[AsyncEventStoreDBClient, Appender], Awaitable[None]]


def tell(uri: str, story: Story) -> None:
    """Runs a story with a client and its appender."""

    async def run() -> None:
        async with connected(uri) as client:
            await story(client, Appender(client))

    asyncio.run(run())


def test_an_append_says_where_its_last_event_stands(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        stream, records = new_stream(), [noted(), noted(), noted()]
        first = await appender.append(stream, -1, records[:2])
        second = await appender.append(stream, 1, records[2:])
        stored = await client.get_stream(stream)
        assert [event.data for event in stored] == [record.data for record in records]
        assert [first[:2], second[:2]] == [(at.stream_position, at.commit_position) for at in stored[1:]]
        assert [first.last_id, second.last_id] == [at.id for at in stored[1:]]
        assert [*first.event_ids, *second.event_ids] == [str(at.id) for at in stored]

    tell(eventstore_uri, story)


def test_an_event_is_stored_as_it_was_given(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        stream = f"{new_stream()}-straße-0"
        given = NewRecord("Überwiesen", b"\x00\xff", b"\xfe", content_type="application/octet-stream")
        appended = await appender.append(stream, -1, [given])
        [stored] = await client.get_stream(stream)
        fields = ("type", "data", "metadata", "content_type")
        assert [getattr(stored, field) for field in fields] == [getattr(given, field) for field in fields]
        assert stored.id == appended.last_id

    tell(eventstore_uri, story)


def test_more_appends_than_a_connection_has_calls_get_their_own_answers(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        streams = [new_stream() for _ in range(300)]

        async def write(number: int) -> Appended:
            await appender.append(streams[number], -1, [noted()] * (number % 3 + 1))
            return await appender.append(streams[number], number % 3, [noted()])

        answers = await asyncio.gather(*(write(number) for number in range(300)))
        assert [answer.version for answer in answers] == [number % 3 + 1 for number in range(300)]
        for stream, answer in list(zip(streams, answers, strict=True))[::30]:
            last = (await client.get_stream(stream))[-1]
            assert (last.stream_position, last.commit_position) == (answer.version, answer.position)

    tell(eventstore_uri, story)


def test_appends_to_one_stream_take_effect_in_the_order_in_which_they_were_made(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        stream, records = new_stream(), [noted() for _ in range(50)]
        made = [appender.append(stream, number - 1, [record]) for number, record in enumerate(records)]
        assert [answer.version for answer in await asyncio.gather(*made)] == list(range(50))
        assert await texts_in(client, stream) == [record.data for record in records]

    tell(eventstore_uri, story)


def test_a_wrong_version_names_the_right_one_and_disturbs_nobody(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        stream, missing = new_stream(), new_stream()
        await appender.append(stream, -1, [noted(), noted()])
        behind, ahead = sent(appender.append(stream, 0, [noted()])), sent(appender.append(stream, 7, [noted()]))
        nowhere, right = sent(appender.append(missing, 3, [noted()])), sent(appender.append(stream, 1, [noted()]))
        refused = [await each for each in (behind, ahead, nowhere)]
        assert [(type(each), vars(each)) for each in refused] == [
            (WrongExpectedVersion, {"stream": stream, "current": 1}),
            (WrongExpectedVersion, {"stream": stream, "current": 1}),
            (WrongExpectedVersion, {"stream": missing, "current": None}),
        ]
        answer = await right
        assert isinstance(answer, Appended)
        assert answer.version == 2

    tell(eventstore_uri, story)


def test_the_same_records_sent_again_are_another_append(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        stream, records = new_stream(), [noted(), noted()]
        first = await appender.append(stream, -1, records)
        refused = await sent(appender.append(stream, -1, records))
        assert (type(refused), getattr(refused, "current", None)) == (WrongExpectedVersion, 1)
        again = await appender.append(stream, 1, records)
        assert (first.version, again.version) == (1, 3)
        stored = await client.get_stream(stream)
        assert [event.data for event in stored] == [record.data for record in records * 2]
        assert len({event.id for event in stored}) == 4

    tell(eventstore_uri, story)


def test_more_appenders_than_a_connection_has_calls_may_follow_each_other(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        for _ in range(120):
            another = Appender(client)
            assert (await another.append(new_stream(), -1, [noted()])).version == 0
            await another.close()
        await appender.close()
        assert (await appender.append(new_stream(), -1, [noted()])).version == 0

    tell(eventstore_uri, story)


def test_a_stream_that_is_gone_is_named(eventstore_uri: str) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        stream = new_stream()
        await client.tombstone_stream(stream, current_version=StreamState.ANY)
        with pytest.raises(StreamGone) as refusal:
            await appender.append(stream, -1, [noted()])
        assert refusal.value.stream == stream

    tell(eventstore_uri, story)


@pytest.mark.parametrize(
    ("events", "error", "reason"),
    [
        pytest.param([noted("x" * 1_048_576)], EventTooLarge, LIMIT, marks=limited),
        pytest.param([noted("x" * 600_000), noted("x" * 600_000)], EventTooLarge, LIMIT, marks=limited),
        ([NewRecord("", b"{}")], AppendRefused, "BadRequest"),
        ([noted("x" * LARGEST)], EventTooLarge, "are more than the 16767216 of a request"),
    ],
    ids=["too large", "too large together", "without a type", "too large for any call"],
)
def test_what_the_store_never_takes_is_refused_and_disturbs_nobody(
    eventstore_uri: str, events: list[NewRecord], error: type[AppendRefused | EventTooLarge], reason: str
) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        stream, other = new_stream(), new_stream()
        before, bad = sent(appender.append(other, -1, [noted()])), sent(appender.append(stream, -1, events))
        after = sent(appender.append(other, 0, [noted()]))
        refusal = await bad
        assert isinstance(refusal, error)
        assert (refusal.stream, reason in refusal.reason) == (stream, True)
        assert [getattr(await each, "version", None) for each in (before, after)] == [0, 1]
        assert (await appender.append(stream, -1, [noted()])).version == 0

    tell(eventstore_uri, story)


def test_a_store_with_users_and_certificates_takes_them(tmp_path: Path) -> None:
    async def story(client: AsyncEventStoreDBClient, appender: Appender) -> None:
        assert (await appender.append(new_stream(), -1, [noted()])).version == 0

    with SecureEventStore(tmp_path) as store:
        tell(store.uri(), story)
