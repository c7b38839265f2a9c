"""The state as of any version is folded from the nearest stored state, and is the same as from the beginning."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final
from uuid import uuid4

import pytest

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import NewRecord
from infrastructure.history.moment import written
from infrastructure.history.past import Past, StateAsOf
from infrastructure.history.records import Records
from infrastructure.history.states import Boundary
from infrastructure.snapshots.record import with_checksum
from infrastructure.snapshots.store import SnapshotStore
from infrastructure.snapshots.writer import SnapshotJob, SnapshotWriter
from tests.infrastructure.commands.tally import CODEC, decider
from tests.infrastructure.snapshots.tally_snapshots import (
    LONG,
    RULE,
    TAIL,
    LongTally,
    TallySnapshots,
    tell,
    tell_of_long,
)

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
    """The state as it is folded from the beginning; remembered, since several tests ask for the same."""
    with open_reader(uri) as reader:
        return Past(Records(reader, stream), PLAIN, CODEC).as_of_version(version)


def plain_states(uri: str, stream: str, *versions: int) -> list[StateAsOf]:
    return [plain(uri, stream, version) for version in versions]


def states(uri: str, stream: str, *versions: int) -> tuple[list[StateAsOf], list[int]]:
    """The states as they are folded from stored ones, and how many calls each took."""
    found, calls = [], []
    with open_reader(uri) as reader:
        for version in versions:
            records = Records(reader, stream)
            found.append(Past(records, QUICK, CODEC).as_of_version(version))
            calls.append(records.calls)
    return found, calls


def test_every_version_has_the_same_state_with_snapshots_and_without(
    eventstore_uri: str, long_tally: LongTally
) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        found, calls = states(eventstore_uri, tally.stream, *VERSIONS)
        assert found == plain_states(eventstore_uri, tally.stream, *VERSIONS)
        assert max(calls) <= 6
        assert calls[4:7] == [6, 6, 5]  # the record, the next, the first, the newest segment, the one, the tail

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_time_is_found_in_few_calls(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        with open_reader(eventstore_uri) as reader:
            for version in (10, SEGMENT + 100, LONG - 150):
                [record] = Records(reader, tally.stream).page(version, 1)
                records = Records(reader, tally.stream)
                found = Past(records, QUICK, CODEC).as_of_time(written(record))
                assert found == Past(Records(reader, tally.stream), PLAIN, CODEC).as_of_time(written(record))
                assert records.calls <= 15

    tell_of_long(eventstore_uri, long_tally, story)


def test_changes_begin_at_a_stored_state(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        with open_reader(eventstore_uri) as reader:
            quick, plain = (Past(Records(reader, tally.stream), each, CODEC) for each in (QUICK, PLAIN))
            [record] = Records(reader, tally.stream).page(LONG - 3, 1)
            since = written(record)
            assert list(quick.changes(since, None)) == list(plain.changes(since, None)) != []

    tell_of_long(eventstore_uri, long_tally, story)


@pytest.mark.parametrize("change", ["revision", "drop"])
def test_what_was_taken_anew_is_found_as_fast_and_is_taken_once(
    eventstore_uri: str, long_tally: LongTally, change: str
) -> None:
    async def story(tally: TallySnapshots) -> None:
        await another_schema(tally)
        if change == "drop":
            await SnapshotStore(tally.streams).drop(tally.stream)
        for _ in range(3):
            await retake(tally, long_tally)
        numbers = [body["number"] for body in await tally.segments()]
        assert numbers == ([0, 1] if change == "drop" else [0, 1, 0, 1])
        versions = SEGMENT + 7, 2 * SEGMENT + 7
        assert states(eventstore_uri, tally.stream, *versions) == (
            plain_states(eventstore_uri, tally.stream, *versions),
            [6, 5],
        )

    tell_of_long(eventstore_uri, long_tally, story)


async def retake(tally: TallySnapshots, long: LongTally) -> None:
    """From the whole stream, whatever is stored."""
    aggregate = long.remembered()
    job = SnapshotJob(aggregate, aggregate.snapshot(), tuple(aggregate.unsaved), RULE)
    await SnapshotWriter(SnapshotStore(tally.streams), tally.counts, limit=1).retake(job)


async def nothing(tally: TallySnapshots) -> None:
    """No snapshot was ever taken."""


async def no_segments(tally: TallySnapshots) -> None:
    await tally.take()
    tally.operator.delete(segment_stream(tally.stream))


async def the_first_segment_is_gone(tally: TallySnapshots) -> None:
    await tally.take()
    first, _ = await tally.streams.records(segment_stream(tally.stream), 0, 2) or []
    tally.operator.set_metadata(segment_stream(tally.stream), {"$tb": first.version + 1})


async def segments_in_disorder(tally: TallySnapshots) -> None:
    """As two processes leave them that do not know of each other."""
    await tally.take()
    first, second = await tally.streams.records(segment_stream(tally.stream), 0, 2) or []
    tally.operator.set_metadata(segment_stream(tally.stream), {"$tb": second.version + 1})
    again = [NewRecord(record.type, record.data, record.metadata) for record in (second, first)]
    await tally.add(segment_stream(tally.stream), *again)


async def another_schema(tally: TallySnapshots) -> None:
    await tally.another_process(replace(RULE, revision=2)).take()


async def both_schemas(tally: TallySnapshots) -> None:
    await tally.another_process(replace(RULE, revision=2)).take()
    await tally.take()


async def dropped_and_taken_anew(tally: TallySnapshots) -> None:
    await tally.take()
    await SnapshotStore(tally.streams).drop(tally.stream)
    await tally.another_process().take()


async def other_records(tally: TallySnapshots) -> None:
    """States after records that this stream does not hold, as the stored records say."""
    await tally.take()
    for stream in (segment_stream(tally.stream), snapshot_stream(tally.stream)):
        for record in await tally.streams.records(stream, 0, 5) or []:
            body = {
                **json.loads(record.data),
                "last_id": str(uuid4()),
                "state": {"is": "Tally", "limit": None, "count": "0"},
            }
            await tally.add(stream, with_checksum(record.type, body))


async def broken(tally: TallySnapshots) -> None:
    await tally.take()
    for stream, kind in (
        (segment_stream(tally.stream), "SegmentSealed"),
        (snapshot_stream(tally.stream), "SnapshotTaken"),
    ):
        await tally.add(stream, *[NewRecord(kind, b"{")] * 3)


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
def test_whatever_is_stored_the_state_is_the_same(
    eventstore_uri: str, long_tally: LongTally, leave: Callable[[TallySnapshots], Any]
) -> None:
    async def story(tally: TallySnapshots) -> None:
        await leave(tally)
        found, _ = states(eventstore_uri, tally.stream, 2 * SEGMENT + 7, LONG - 1)
        assert found == plain_states(eventstore_uri, tally.stream, 2 * SEGMENT + 7, LONG - 1)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_truncated_stream_is_not_completed_by_a_stored_state(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        tally.operator.set_metadata(tally.stream, {"$tb": 3})
        [found], _ = states(eventstore_uri, tally.stream, SEGMENT + 7)
        assert found == plain(eventstore_uri, tally.stream, SEGMENT + 7)
        assert found.first_version == 3

    tell(eventstore_uri, story, events=SEGMENT + 10)
