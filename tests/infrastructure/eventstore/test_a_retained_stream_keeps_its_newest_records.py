"""A retained stream keeps so many records, continues after truncation, and reports every race that it loses."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import StreamGone, WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.retained_stream import RetainedStream
from infrastructure.eventstore.streams import Streams
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.eventstore.operator import Operator, operating


def note(number: int) -> NewRecord:
    return NewRecord("Noted", json.dumps({"number": number}).encode())


@dataclass(frozen=True)
class Case:
    """A retained stream that nobody else uses, and ways to look behind it."""

    stream: RetainedStream
    streams: Streams
    operator: Operator

    def of(self, retained: int | None) -> RetainedStream:
        """The same stream, with another number of records to keep."""
        return RetainedStream(self.streams, self.stream.name, retained)

    async def fill(self, number: int) -> None:
        """Appends so many records to a stream of which nothing is visible."""
        after = None
        for each in range(number):
            after = (await self.stream.append(note(each), after)).version

    async def versions(self) -> list[int]:
        return [record.version for record in await self.stream.records(0, 100)]

    async def metadata(self) -> tuple[int, Any]:
        """How many times something was set for the stream, and what is set now."""
        newest = await self.streams.records(f"$${self.stream.name}", None, 1, backwards=True) or []
        return next(((record.version + 1, json.loads(record.data)) for record in newest), (0, None))


def tell(uri: str, story: Callable[[Case], Awaitable[None]]) -> None:
    """Runs a story about a new stream of which three records are kept."""

    async def run() -> None:
        async with connected(uri) as client:
            with operating(uri) as operator:
                streams = Streams(client, EventCodec(()))
                await story(Case(RetainedStream(streams, f"notes-{uuid4()}", 3), streams, operator))

    asyncio.run(run())


def test_its_newest_records_are_kept_and_the_bound_is_set_once(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        await case.fill(5)
        assert await case.versions() == [2, 3, 4]
        newest = await case.stream.newest()
        assert newest is not None
        assert (newest.stream, newest.version, newest.type, newest.data) == (case.stream.name, 4, *note(4)[:2])
        assert await case.metadata() == (1, {"$maxCount": 3})

    tell(eventstore_uri, story)


def test_metadata_of_others_are_left_alone(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        case.operator.set_metadata(case.stream.name, {"$maxCount": 4, "why": "an audit"})
        await case.fill(6)
        assert await case.versions() == [2, 3, 4, 5]
        assert await case.metadata() == (1, {"$maxCount": 4, "why": "an audit"})

    tell(eventstore_uri, story)


def test_without_a_number_all_are_kept_and_nothing_is_set(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        await case.of(None).append_singly([note(each) for each in range(5)])
        assert await case.versions() == [0, 1, 2, 3, 4]
        assert await case.metadata() == (0, None)

    tell(eventstore_uri, story)


def test_records_are_read_from_either_end(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        await case.fill(5)
        assert [record.version for record in await case.stream.records(3, 1)] == [3]
        assert [record.version for record in await case.stream.records(None, 2, backwards=True)] == [4, 3]
        assert [record.version for record in await case.stream.records(3, 10, backwards=True)] == [3, 2]

    tell(eventstore_uri, story)


def test_a_stream_that_never_was_is_empty(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        assert (await case.stream.newest(), await case.versions()) == (None, [])
        assert not await case.stream.truncate()
        await case.stream.append_singly([])
        assert (await case.versions(), await case.metadata()) == ([], (0, None))

    tell(eventstore_uri, story)


def test_after_all_was_truncated_the_next_record_follows(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        await case.fill(2)
        assert await case.stream.truncate()
        assert (await case.stream.newest(), await case.versions()) == (None, [])
        assert not await case.stream.truncate()
        appended = await case.stream.append(note(2), None)
        assert (appended.version, await case.versions()) == (2, [2])
        assert await case.metadata() == (2, {"$maxCount": 3, "$tb": 2})

    tell(eventstore_uri, story)


def test_several_records_follow_the_newest_or_the_truncated(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        stream = case.of(None)
        await stream.append_singly([note(0), note(1)])
        await stream.append_singly([note(2)])
        assert await case.versions() == [0, 1, 2]
        assert await stream.truncate()
        await stream.append_singly([note(3), note(4)])
        assert await case.versions() == [3, 4]

    tell(eventstore_uri, story)


def test_truncation_keeps_the_other_metadata(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        case.operator.set_metadata(case.stream.name, {"why": "an audit"})
        await case.fill(2)
        assert await case.stream.truncate()
        assert await case.metadata() == (2, {"why": "an audit", "$tb": 2})

    tell(eventstore_uri, story)


def test_a_deleted_stream_is_empty_and_may_be_filled_again(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        await case.fill(2)
        case.operator.delete(case.stream.name)
        assert (await case.stream.newest(), await case.versions()) == (None, [])
        assert not await case.stream.truncate()
        appended = await case.stream.append(note(2), None)
        assert (appended.version, await case.versions()) == (2, [2])

    tell(eventstore_uri, story)


def test_a_stream_that_is_gone_for_good_is_empty_and_takes_no_record(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        await case.fill(2)
        case.operator.tombstone(case.stream.name)
        assert (await case.stream.newest(), await case.versions()) == (None, [])
        assert not await case.stream.truncate()
        for append in (case.stream.append(note(2), None), case.stream.append(note(2), 1)):
            with pytest.raises(StreamGone):
                await append

    tell(eventstore_uri, story)


@pytest.mark.parametrize("after", [None, 0])
def test_a_record_in_the_wrong_place_is_refused(eventstore_uri: str, after: int | None) -> None:
    async def story(case: Case) -> None:
        await case.fill(2)
        with pytest.raises(WrongExpectedVersion) as refusal:
            await case.stream.append(note(2), after)
        assert (refusal.value.stream, refusal.value.current) == (case.stream.name, 1)
        assert await case.versions() == [0, 1]

    tell(eventstore_uri, story)


def test_of_two_first_appends_one_is_refused_and_the_bound_is_set_once(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        rivals = (case.stream.append(note(0), None), case.of(3).append(note(1), None))
        results = await asyncio.gather(*rivals, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == [
            Appended.__name__,
            WrongExpectedVersion.__name__,
        ]
        assert (await case.versions(), await case.metadata()) == ([0], (1, {"$maxCount": 3}))

    tell(eventstore_uri, story)


def test_unreadable_metadata_count_as_none(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        case.operator.append(f"$${case.stream.name}", NewRecord("$metadata", b"{"))
        await case.fill(2)
        assert await case.versions() == [0, 1]
        assert await case.stream.truncate()
        assert await case.versions() == []
        assert await case.metadata() == (2, {"$tb": 2})

    tell(eventstore_uri, story)


def test_what_lies_before_a_version_is_truncated_away_and_never_comes_back(eventstore_uri: str) -> None:
    async def story(case: Case) -> None:
        stream = case.of(None)
        case.operator.set_metadata(case.stream.name, {"why": "an audit"})
        for number in range(4):
            await stream.append(note(number), number - 1 if number else None)
        assert await stream.truncate(before=2)
        assert await case.versions() == [2, 3]
        assert await case.metadata() == (2, {"why": "an audit", "$tb": 2})
        assert not await stream.truncate(before=1)
        assert not await stream.truncate(before=2)
        assert await stream.truncate(before=99)
        assert await case.metadata() == (3, {"why": "an audit", "$tb": 4})

    tell(eventstore_uri, story)
