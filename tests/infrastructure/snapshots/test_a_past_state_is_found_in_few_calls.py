"""The state as of any version is folded from the nearest one that is stored, and is the same as without."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final
from uuid import uuid4

import pytest
from esdbclient import NewEvent, StreamState

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.aggregates.digested import digested
from infrastructure.eventstore.client import reader_client
from infrastructure.history.moment import written
from infrastructure.history.past import Past, StateAsOf
from infrastructure.history.records import Records
from infrastructure.history.states import Boundary
from infrastructure.snapshots.store import SnapshotStore
from infrastructure.snapshots.writer import Due, Taking
from tests.infrastructure.commands.tally import CODEC, decider
from tests.infrastructure.snapshots.tally_snapshots import LONG, RULE, TAIL, Long, Shelf, tell, tell_of_long

PLAIN: Final = Boundary(decider.category, frozenset(decider.events), decider.initial, decider.evolve)
QUICK: Final = replace(PLAIN, rule=RULE)
VERSIONS: Final = (
    0,
    5,
    SEGMENT - 2,
    SEGMENT - 1,
    SEGMENT,
    SEGMENT + 7,
    2 * SEGMENT - 1,
    LONG - TAIL - 1,
    LONG - 6,
    LONG - 1,
)


@cache
def plain(uri: str, stream: str, version: int) -> StateAsOf:
    """The state as it is folded from the beginning."""
    with reader_client(uri) as client:
        return Past(Records(client, stream), PLAIN, CODEC).as_of_version(version)


def compare(uri: str, stream: str, *versions: int) -> list[int]:
    """What is answered with and without stored states is the same; how many calls it took with them."""
    calls = []
    with reader_client(uri) as client:
        for version in versions:
            records = Records(client, stream)
            found = Past(records, QUICK, CODEC).as_of_version(version)
            assert found == plain(uri, stream, version)
            calls.append(records.calls)
    return calls


def test_wherever_one_looks_the_answer_is_the_same(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        calls = compare(eventstore_uri, shelf.stream, *VERSIONS)
        assert max(calls) <= 6
        assert calls[4:7] == [6, 6, 5]  # the record, the next, the first, the newest segment, the one, the tail

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_time_is_found_in_few_calls(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        with reader_client(eventstore_uri) as client:
            for version in (10, SEGMENT + 100, LONG - 150):
                [record] = Records(client, shelf.stream).page(version, 1)
                records = Records(client, shelf.stream)
                found = Past(records, QUICK, CODEC).as_of_time(written(record))
                assert found == Past(Records(client, shelf.stream), PLAIN, CODEC).as_of_time(written(record))
                assert records.calls <= 15

    tell_of_long(eventstore_uri, long_tally, story)


def test_changes_begin_at_a_stored_state(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        with reader_client(eventstore_uri) as client:
            quick, plain = (Past(Records(client, shelf.stream), each, CODEC) for each in (QUICK, PLAIN))
            [record] = Records(client, shelf.stream).page(LONG - 3, 1)
            since = written(record)
            assert list(quick.changes(since, None)) == list(plain.changes(since, None)) != []

    tell_of_long(eventstore_uri, long_tally, story)


@pytest.mark.parametrize("change", ["revision", "drop"])
def test_what_was_taken_anew_is_as_near_and_is_taken_once(eventstore_uri: str, long_tally: Long, change: str) -> None:
    async def story(shelf: Shelf) -> None:
        await another_schema(shelf)
        if change == "drop":
            await SnapshotStore(shelf.streams).drop(shelf.stream)
        for _ in range(3):
            await retake(shelf, long_tally)
        kept = await shelf.segments()
        assert [said["number"] for said in kept] == ([0, 1] if change == "drop" else [0, 1, 0, 1])
        assert compare(eventstore_uri, shelf.stream, SEGMENT + 7, 2 * SEGMENT + 7) == [6, 5]

    tell_of_long(eventstore_uri, long_tally, story)


async def retake(shelf: Shelf, long: Long) -> None:
    """From the whole stream, whatever is stored."""
    aggregate = long.remembered()
    due = Due(aggregate, aggregate.snapshot(), tuple(aggregate.unsaved), RULE)
    await Taking(SnapshotStore(shelf.streams), shelf.counts, limit=1).retake(due)


async def nothing(shelf: Shelf) -> None:
    """No snapshot was ever taken."""


async def no_segments(shelf: Shelf) -> None:
    await shelf.take()
    await shelf.client.delete_stream(segment_stream(shelf.stream), current_version=StreamState.ANY)


async def the_first_segment_is_gone(shelf: Shelf) -> None:
    await shelf.take()
    first, _ = await shelf.streams.records(segment_stream(shelf.stream), 0, 2) or []
    metadata = {"$tb": first.stream_position + 1}
    await shelf.client.set_stream_metadata(segment_stream(shelf.stream), metadata=metadata)


async def segments_in_disorder(shelf: Shelf) -> None:
    """As two processes leave them that do not hear of each other."""
    await shelf.take()
    first, second = await shelf.streams.records(segment_stream(shelf.stream), 0, 2) or []
    metadata = {"$tb": second.stream_position + 1}
    await shelf.client.set_stream_metadata(segment_stream(shelf.stream), metadata=metadata)
    for record in (second, first):
        again = NewEvent(type=record.type, data=record.data, metadata=record.metadata)
        await shelf.add(segment_stream(shelf.stream), again)


async def another_schema(shelf: Shelf) -> None:
    await shelf.another_process(replace(RULE, revision=2)).take()


async def both_schemas(shelf: Shelf) -> None:
    await shelf.another_process(replace(RULE, revision=2)).take()
    await shelf.take()


async def dropped_and_taken_anew(shelf: Shelf) -> None:
    await shelf.take()
    await SnapshotStore(shelf.streams).drop(shelf.stream)
    await shelf.another_process().take()


async def other_records(shelf: Shelf) -> None:
    """States that are said to follow on records which this stream does not hold."""
    await shelf.take()
    for stream in (segment_stream(shelf.stream), snapshot_stream(shelf.stream)):
        for record in await shelf.streams.records(stream, 0, 5) or []:
            said = {
                **json.loads(record.data),
                "last_id": str(uuid4()),
                "state": {"is": "Tally", "limit": None, "count": "0"},
            }
            await shelf.add(stream, digested(record.type, said))


async def broken(shelf: Shelf) -> None:
    await shelf.take()
    for stream, kind in (
        (segment_stream(shelf.stream), "SegmentSealed"),
        (snapshot_stream(shelf.stream), "SnapshotTaken"),
    ):
        for _ in range(3):
            await shelf.add(stream, NewEvent(type=kind, data=b"{"))


STORED: Final = (
    nothing,
    no_segments,
    the_first_segment_is_gone,
    segments_in_disorder,
    another_schema,
    both_schemas,
    dropped_and_taken_anew,
    other_records,
    broken,
)


@pytest.mark.parametrize("leave", STORED, ids=lambda leave: leave.__name__)
def test_whatever_is_stored_the_answer_is_the_same(
    eventstore_uri: str, long_tally: Long, leave: Callable[[Shelf], Any]
) -> None:
    async def story(shelf: Shelf) -> None:
        await leave(shelf)
        compare(eventstore_uri, shelf.stream, 2 * SEGMENT + 7, LONG - 1)

    tell_of_long(eventstore_uri, long_tally, story)


def test_what_a_truncated_stream_lacks_no_stored_state_makes_up_for(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        await shelf.client.set_stream_metadata(shelf.stream, metadata={"$tb": 3})
        compare(eventstore_uri, shelf.stream, SEGMENT + 7)
        assert plain(eventstore_uri, shelf.stream, SEGMENT + 7).first_version == 3

    tell(eventstore_uri, story, events=SEGMENT + 10)
