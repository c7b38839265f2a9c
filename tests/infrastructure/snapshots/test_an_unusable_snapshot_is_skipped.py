"""A snapshot that is broken, foreign or newer than its stream is skipped: it says so, and the load is right."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import pytest
import structlog
from esdbclient import NewEvent, StreamState

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.bloom import BYTES
from infrastructure.aggregates.command_ids import SEGMENT
from tests.infrastructure.snapshots.tally_snapshots import RULE, Long, Shelf, same, tell, tell_of_long

Said = dict[str, Any]


def says(**members: Any) -> Callable[[Said], Said]:
    return lambda said: {**said, **members}


def lacks(member: str) -> Callable[[Said], Said]:
    return lambda said: {name: value for name, value in said.items() if name != member}


def knows(**members: Any) -> Callable[[Said], Said]:
    return lambda said: {**said, "commands": {**said["commands"], **members}}


def is_at(**members: Any) -> Callable[[Said], Said]:
    return lambda said: {**said, "state": {**said["state"], **members}}


BROKEN: Final[dict[str, Callable[[Said], Said | bytes]]] = {
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
    "a state of a class that has no name": is_at(**{"is": None}),
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
def test_what_can_not_be_read_is_skipped(eventstore_uri: str, broken: str) -> None:
    skipped_for(eventstore_uri, BROKEN[broken], "undecodable")


@pytest.mark.parametrize("reason", FOREIGN)
def test_what_is_of_something_else_is_skipped(eventstore_uri: str, reason: str) -> None:
    skipped_for(eventstore_uri, FOREIGN[reason], reason)


def test_a_format_to_come_is_another_schema(eventstore_uri: str) -> None:
    skipped_for(eventstore_uri, lambda said: {**lacks("state")(said), "format": 2}, "other-schema")


def test_another_record_at_its_version_makes_it_newer_than_the_stream(eventstore_uri: str) -> None:
    skipped_for(eventstore_uri, says(last_id=str(uuid4())), "newer-than-stream")


def skipped_for(uri: str, change: Callable[[Said], Said | bytes], reason: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        [said] = await shelf.kept()
        fresh = await anew(shelf)
        await fresh.put(change({**said, "stream": fresh.stream, "last_id": str((await fresh.last()).id)}))
        await loads_right(fresh, [(0, reason)])

    tell(uri, story, events=11)


async def anew(shelf: Shelf) -> Shelf:
    """A tally like the first, of which no snapshot was taken yet."""
    fresh = replace(shelf, stream=f"tally-{uuid4()}")
    await fresh.grow(11)
    return fresh


async def loads_right(shelf: Shelf, skipped: list[tuple[int, str]], restored: int = 0) -> None:
    """The load is that of the whole stream; each snapshot that it skipped, by its number, was logged and counted."""
    other = shelf.another_process()
    with structlog.testing.capture_logs() as lines:
        loaded = await other.loaded()
    assert same(loaded, await other.folded() if shelf.long is None else shelf.long.whole)
    assert [(line["event"], line["stream"], line["snapshot"], line["reason"]) for line in lines] == [
        ("snapshot_skipped", shelf.stream, number, reason) for number, reason in skipped
    ]
    reasons = [reason for _, reason in skipped]
    assert dict(other.counts.skipped) == {reason: reasons.count(reason) for reason in reasons}
    assert other.counts.restored == restored


@pytest.mark.parametrize(
    ("written", "put"),
    [
        (b'"count": "11"', b'"count": "99"'),
        (b'"sealed": 0', b'"sealed":  0'),
        (b'"recent": {', b'"recent": {}, "past": {'),
    ],
)
def test_a_snapshot_in_which_something_was_changed_is_skipped(eventstore_uri: str, written: bytes, put: bytes) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        [record] = await shelf.streams.records(snapshot_stream(shelf.stream), 0, 1) or []
        assert written in record.data
        changed = NewEvent(type=record.type, data=record.data.replace(written, put), metadata=record.metadata)
        await shelf.add(snapshot_stream(shelf.stream), changed)
        await loads_right(shelf, [(1, "undecodable")], restored=1)

    tell(eventstore_uri, story, events=11)


def test_a_record_of_another_kind_is_skipped(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        [said] = await shelf.kept()
        await shelf.put(said, kind="SomethingElse")
        await loads_right(shelf, [(1, "undecodable")], restored=1)

    tell(eventstore_uri, story, events=11)


def test_the_older_ones_that_are_left_are_tried_in_turn(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        await shelf.grow(4)
        await shelf.put(b"{")
        await shelf.put({"stream": "tally-0", "format": 1, "fingerprint": RULE.fingerprint})
        await loads_right(shelf, [(2, "other-stream"), (1, "undecodable")], restored=1)

    tell(eventstore_uri, story, events=11)


def test_where_all_are_of_no_use_the_whole_stream_is_read(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        for _ in range(3):
            await shelf.put(b"{")
        await loads_right(shelf, [(3, "undecodable"), (2, "undecodable"), (1, "undecodable")])

    tell(eventstore_uri, story, events=11)


def test_snapshots_of_a_former_revision_are_of_another_schema(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        await loads_right(shelf.another_process(replace(RULE, revision=2)), [(0, "other-schema")])

    tell(eventstore_uri, story, events=11)


def test_a_new_one_is_taken_where_the_newest_is_of_no_use(eventstore_uri: str) -> None:
    """Whatever version it says it is of."""

    async def story(shelf: Shelf) -> None:
        await shelf.take()
        [said] = await shelf.kept()
        await shelf.put({**said, "version": 500})
        await shelf.another_process().take()
        assert [each["version"] for each in await shelf.kept()] == [10, 500, 10]
        await loads_right(shelf, [], restored=1)

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_of_a_deleted_stream_is_newer_than_it(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        await shelf.client.delete_stream(shelf.stream, current_version=10)
        await loads_right(shelf, [(0, "newer-than-stream")])
        await shelf.grow(12)
        await loads_right(shelf, [(0, "newer-than-stream")])
        await shelf.take()
        assert len(await shelf.kept()) == 1  # its stream lacks its beginning now

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_behind_which_the_stream_was_truncated_is_newer_than_it(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        await shelf.grow(20)
        await shelf.client.set_stream_metadata(shelf.stream, metadata={"$tb": 15})
        await loads_right(shelf, [(0, "newer-than-stream")])

    tell(eventstore_uri, story, events=11)


def test_a_snapshot_without_its_segments_is_skipped(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        kept = segment_stream(shelf.stream)
        await shelf.client.delete_stream(kept, current_version=StreamState.ANY)
        await loads_right(shelf, [(await shelf.place(), "segments-missing")])
        await shelf.another_process().take()
        assert [said["number"] for said in await shelf.segments()] == [0, 1]
        await loads_right(shelf, [], restored=1)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_broken_segment_counts_as_missing_until_it_is_stored_again(eventstore_uri: str, long_tally: Long) -> None:
    """Of several that say they are the same one the last counts that can be read."""

    async def story(shelf: Shelf) -> None:
        await shelf.take()
        said = await shelf.segments()
        kept = segment_stream(shelf.stream)
        await shelf.add(kept, NewEvent(type="SegmentSealed", data=b"{"))
        await loads_right(shelf, [], restored=1)
        [broken] = await shelf.streams.records(kept, None, 1, backwards=True) or []
        await shelf.client.set_stream_metadata(kept, metadata={"$tb": broken.stream_position})
        await loads_right(shelf, [(await shelf.place(), "segments-missing")])
        await shelf.another_process().take()
        again = await shelf.streams.records(kept, broken.stream_position + 1, 10) or []
        assert [json.loads(record.data) for record in again] == said
        await loads_right(shelf, [], restored=1)

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_segment_of_another_schema_is_good_for_its_commands(eventstore_uri: str, long_tally: Long) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        newer = shelf.another_process(replace(RULE, revision=2))
        [said] = await shelf.kept()
        await shelf.put({**said, "fingerprint": newer.rule.fingerprint})
        loaded = await newer.loaded()
        assert newer.counts.restored == 1
        assert all(command_id in loaded.commands.sealed[0] for command_id in long_tally.command_ids[:SEGMENT])

    tell_of_long(eventstore_uri, long_tally, story)


def test_a_tombstone_where_the_snapshots_were_costs_the_snapshots_alone(eventstore_uri: str) -> None:
    async def story(shelf: Shelf) -> None:
        await shelf.take()
        await shelf.client.tombstone_stream(snapshot_stream(shelf.stream), current_version=0)
        await loads_right(shelf, [])
        other = shelf.another_process()
        await other.take()
        assert (other.counts.taken, other.counts.failed) == (0, 1)

    tell(eventstore_uri, story, events=11)
