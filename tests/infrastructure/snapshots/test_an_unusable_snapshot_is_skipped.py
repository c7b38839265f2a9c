"""A snapshot that is broken, foreign or newer than its stream is skipped: that is logged, and the load is right."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import pytest
import structlog

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.bloom import BYTES
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.snapshots.tally_snapshots import RULE, LongTally, TallySnapshots, facts, tell, tell_of_long
from tests.support.counted import counted, skipped_snapshots

Body = dict[str, Any]


def says(**members: Any) -> Callable[[Body], Body]:
    return lambda body: {**body, **members}


def lacks(member: str) -> Callable[[Body], Body]:
    return lambda body: {name: value for name, value in body.items() if name != member}


def knows(**members: Any) -> Callable[[Body], Body]:
    return lambda body: {**body, "commands": {**body["commands"], **members}}


def is_at(**members: Any) -> Callable[[Body], Body]:
    return lambda body: {**body, "state": {**body["state"], **members}}


BROKEN: Final[dict[str, Callable[[Body], Body | bytes]]] = {
    "no JSON": lambda _: b"{",
    "no text": lambda _: b"\xff\xfe",
    "no object": lambda _: b"[1]",
    "nothing": lambda _: b"",
    "no version": lacks("version"),
    "a negative version": says(version=-1),
    "a version beyond all": says(version=2**63),
    "a version in words": says(version="10"),
    "no state": lacks("state"),
    "a state of nothing": says(state={}),
    "a state of another class": is_at(**{"is": "Order"}),
    "a state of a class without a name": is_at(**{"is": None}),
    "a state that lacks a member": says(state={"is": "Tally", "count": "11"}),
    "a state with a member too many": is_at(seen=1),
    "a state with a value that is none": is_at(count="many"),
    "a state with a value that is written otherwise": is_at(count=11),
    "no commands": lacks("commands"),
    "a filter that is no base64": knows(unsealed="*" * 40),
    "a filter that is not compressed": knows(unsealed=b64encode(bytes(BYTES)).decode()),
    "a filter that is cut short": knows(unsealed="eAEDAAAAAAE="),
    "a command at no version": knows(recent={str(uuid4()): [9, 11]}),
    "a command that ends before it begins": knows(recent={str(uuid4()): [9, 8]}),
    "a command of no id": knows(recent={"a": [1, 1]}),
    "segments that there can't be": knows(sealed=1),
}
FOREIGN: Final = {
    "other-stream": says(stream="tally-6f0f1f0e-6f0a-4d0e-9d55-0c3f6f8f7a11"),
    "other-schema": says(fingerprint="0123456789abcdef"),
    "newer-than-stream": says(version=12),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_unreadable_snapshot_is_skipped(eventstore_uri: str, broken: str) -> None:
    assert_skipped(eventstore_uri, BROKEN[broken], "undecodable")


@pytest.mark.parametrize("reason", FOREIGN)
def test_a_foreign_snapshot_is_skipped(eventstore_uri: str, reason: str) -> None:
    assert_skipped(eventstore_uri, FOREIGN[reason], reason)


def test_a_later_format_is_another_schema(eventstore_uri: str) -> None:
    assert_skipped(eventstore_uri, lambda body: {**lacks("state")(body), "format": 2}, "other-schema")


def test_another_record_at_its_version_makes_it_newer_than_the_stream(eventstore_uri: str) -> None:
    assert_skipped(eventstore_uri, says(last_id=str(uuid4())), "newer-than-stream")


def assert_skipped(uri: str, change: Callable[[Body], Body | bytes], reason: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        [body] = await tally.snapshots()
        fresh = await another_of_eleven(tally)
        await fresh.put(change({**body, "stream": fresh.stream, "last_id": str((await fresh.newest(fresh.stream)).id)}))
        await assert_loads_right(fresh, [(0, reason)])

    tell(uri, story, events=11)


async def another_of_eleven(tally: TallySnapshots) -> TallySnapshots:
    """A tally like the first, without any snapshot."""
    fresh = tally.another_tally()
    await fresh.grow(11)
    return fresh


async def newest_number(tally: TallySnapshots) -> int:
    """The number of the newest snapshot in its stream."""
    return (await tally.newest(snapshot_stream(tally.stream))).version


async def assert_loads_right(tally: TallySnapshots, skipped: list[tuple[int, str]], restored: int = 0) -> None:
    """The load comes to the whole stream; each skipped snapshot, by its number in its stream, is logged and counted."""
    other = tally.another_process()
    with structlog.testing.capture_logs() as lines:
        loaded = await other.loaded()
    assert facts(loaded) == facts(await other.folded() if tally.long is None else tally.long.whole)
    assert [(line["event"], line["stream"], line["snapshot"], line["reason"]) for line in lines] == [
        ("snapshot_skipped", tally.stream, number, reason) for number, reason in skipped
    ]
    reasons = [reason for _, reason in skipped]
    assert skipped_snapshots(other.counts) == {reason: reasons.count(reason) for reason in reasons}
    assert counted(other.counts)["restored"] == restored


@pytest.mark.parametrize(
    ("written", "put"),
    [
        (b'"count": "11"', b'"count": "99"'),
        (b'"sealed": 0', b'"sealed":  0'),
        (b'"recent": {', b'"recent": {}, "past": {'),
    ],
)
def test_a_snapshot_in_which_something_was_changed_is_skipped(eventstore_uri: str, written: bytes, put: bytes) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        [record] = await tally.streams.records(snapshot_stream(tally.stream), 0, 1) or []
        assert written in record.data
        changed = NewRecord(record.type, record.data.replace(written, put), record.metadata)
        await tally.add(snapshot_stream(tally.stream), changed)
        await assert_loads_right(tally, [(1, "undecodable")], restored=1)

    tell(eventstore_uri, story, events=11)


def test_a_record_of_another_kind_is_skipped(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        [body] = await tally.snapshots()
        await tally.put(body, kind="SomethingElse")
        await assert_loads_right(tally, [(1, "undecodable")], restored=1)

    tell(eventstore_uri, story, events=11)


def test_the_older_ones_are_tried_in_turn(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        await tally.grow(4)
        await tally.put(b"{")
        await tally.put({"stream": "tally-0", "format": 1, "fingerprint": RULE.fingerprint})
        await assert_loads_right(tally, [(2, "other-stream"), (1, "undecodable")], restored=1)

    tell(eventstore_uri, story, events=11)


def test_where_all_are_unusable_the_whole_stream_is_read(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        for _ in range(3):
            await tally.put(b"{")
        await assert_loads_right(tally, [(3, "undecodable"), (2, "undecodable"), (1, "undecodable")])

    tell(eventstore_uri, story, events=11)


def test_snapshots_of_a_former_revision_are_of_another_schema(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        await assert_loads_right(tally.another_process(replace(RULE, revision=2)), [(0, "other-schema")])

    tell(eventstore_uri, story, events=11)


def test_a_new_one_is_taken_where_the_newest_is_unusable(eventstore_uri: str) -> None:
    """Whatever version it claims."""

    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        [body] = await tally.snapshots()
        await tally.put({**body, "version": 500})
        await tally.another_process().take()
        assert [each["version"] for each in await tally.snapshots()] == [10, 500, 10]
        await assert_loads_right(tally, [], restored=1)

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_of_a_deleted_stream_is_newer_than_it(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        tally.operator.delete(tally.stream)
        await assert_loads_right(tally, [(0, "newer-than-stream")])
        await tally.grow(12)
        await assert_loads_right(tally, [(0, "newer-than-stream")])
        await tally.take()
        assert len(await tally.snapshots()) == 1  # its stream lacks its beginning now

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_behind_which_the_stream_was_truncated_is_newer_than_it(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        await tally.grow(20)
        tally.operator.set_metadata(tally.stream, {"$tb": 15})
        await assert_loads_right(tally, [(0, "newer-than-stream")])

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_without_its_segments_is_skipped(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        kept = segment_stream(tally.stream)
        tally.operator.delete(kept)
        await assert_loads_right(tally, [(await newest_number(tally), "segments-missing")])
        await tally.another_process().take()
        assert [body["number"] for body in await tally.segments()] == [0, 1]
        await assert_loads_right(tally, [], restored=1)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_broken_segment_counts_as_missing_until_it_is_stored_again(
    eventstore_uri: str, long_tally: LongTally
) -> None:
    """Of several records of one segment, the last readable one counts."""

    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        bodies = await tally.segments()
        kept = segment_stream(tally.stream)
        await tally.add(kept, NewRecord("SegmentSealed", b"{"))
        await assert_loads_right(tally, [], restored=1)
        broken = await tally.newest(kept)
        tally.operator.set_metadata(kept, {"$tb": broken.version})
        await assert_loads_right(tally, [(await newest_number(tally), "segments-missing")])
        await tally.another_process().take()
        again = await tally.streams.records(kept, broken.version + 1, 10) or []
        assert [json.loads(record.data) for record in again] == bodies
        await assert_loads_right(tally, [], restored=1)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_segment_of_another_schema_is_good_for_its_commands(eventstore_uri: str, long_tally: LongTally) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        newer = tally.another_process(replace(RULE, revision=2))
        [body] = await tally.snapshots()
        await tally.put({**body, "fingerprint": newer.rule.fingerprint})
        loaded = await newer.loaded()
        assert counted(newer.counts)["restored"] == 1
        assert all(command_id in loaded.commands.sealed[0] for command_id in long_tally.command_ids[:SEGMENT])

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_tombstone_where_the_snapshots_were_costs_the_snapshots_alone(eventstore_uri: str) -> None:
    async def story(tally: TallySnapshots) -> None:
        await tally.take()
        tally.operator.tombstone(snapshot_stream(tally.stream))
        await assert_loads_right(tally, [])
        other = tally.another_process()
        await other.take()
        assert (counted(other.counts)["taken"], counted(other.counts)["failed"]) == (0, 1)

    tell(eventstore_uri, story, events=11)
