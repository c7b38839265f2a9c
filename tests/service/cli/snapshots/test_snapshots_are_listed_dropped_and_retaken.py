"""`foldstream snapshots` lists where loads start, drops snapshots and takes them again."""

import asyncio
import json
import os
import pty
import pwd
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from domain.stream_name import segment_stream, snapshot_stream
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams
from service.cli.history.commands import app as history
from service.cli.schema.commands import app as schema
from service.cli.snapshots.retake import Retaken, retake
from service.history.sources import CODEC
from tests.infrastructure.commands.tally import connected
from tests.service.cli.snapshots.command import Store, answer, listed, output
from tests.support.processes import FOLDSTREAM, Listened


def test_all_streams_that_are_long_enough_are_listed(store: Store) -> None:
    kept, bare, broken, gone = store.account(250), store.account(120), store.account(100), store.account(150)
    store.account(99)
    _, article = store.stock(130)
    output(store, "retake", kept, broken, gone, "--yes")
    store.grow(kept, 30)
    store.append(snapshot_stream(broken), *[NewRecord("SnapshotTaken", b"{")] * 3)
    store.operator.delete(gone)
    found = answer(store, "list")
    assert found["summary"] == {
        "streams": 5,
        "misses": 3,
        "states": {"missing": 2, "not-due": 1, "undecodable": 1, "usable": 1},
    }
    assert listed(store) == {
        kept: (279, "usable", 249, 30),
        bare: (119, "missing", None, 120),
        broken: (99, "undecodable", None, 100),
        article: (129, "missing", None, 130),
    }
    assert listed(store, "--category", "stock") == {article: (129, "missing", None, 130)}
    assert listed(store, "--behind", "120").keys() == {bare, article}
    [usable] = [each for each in found["snapshots"] if each["state"] == "usable"]
    assert usable["taken_at"].endswith("Z")
    assert 0 <= usable["age_seconds"] < 60


def test_people_get_a_table(store: Store) -> None:
    stream = store.account(110)
    assert [line.split() for line in output(store, "list")] == [
        ["stream", "version", "snapshot", "behind", "age", "state"],
        [stream, "109", "—", "110", "—", "missing"],
        ["1", "stream,", "1", "missing;", "1", "can't", "be", "loaded", "from", "a", "snapshot."],
    ]
    assert output(store, "retake", stream) == ["Took snapshots of 1 stream."]
    lines = output(store, "list", stream)
    assert lines[1].split()[:4] == [stream, "109", "109", "0"]
    assert lines[2] == "1 stream, 1 usable; 0 can't be loaded from a snapshot."


def test_a_stream_that_is_named_is_shown_however_short(store: Store) -> None:
    stream = store.account(3)
    assert listed(store, stream) == {stream: (2, "not-due", None, 3)}
    assert listed(store) == {}
    output(store, "retake", stream)
    assert listed(store, stream) == {stream: (2, "usable", 2, 0)}


def test_snapshots_are_dropped_and_retaken(store: Store) -> None:
    stream = store.account(SEGMENT + 104)
    _, article = store.stock(100)
    assert answer(store, "retake", "--all", "--yes") == {
        "snapshots": [
            {"stream": stream, "result": "taken", "version": SEGMENT + 103},
            {"stream": article, "result": "taken", "version": 99},
        ]
    }
    assert answer(store, "drop", stream, "--yes") == {"dropped": [stream]}
    assert listed(store) == {
        stream: (SEGMENT + 103, "missing", None, SEGMENT + 104),
        article: (99, "usable", 99, 0),
    }
    assert store.records(segment_stream(stream)) == []
    assert store.metadata(snapshot_stream(stream)) == {"$maxCount": 3, "$tb": 1}
    assert answer(store, "retake", "--all", "--yes", "--missing")["snapshots"] == [
        {"stream": stream, "result": "taken", "version": SEGMENT + 103}
    ]
    assert listed(store, stream) == {stream: (SEGMENT + 103, "usable", SEGMENT + 103, 0)}
    assert [record.version for record in store.records(segment_stream(stream)) or []] == [1]
    assert sorted(answer(store, "drop", "--all", "--yes")["dropped"]) == sorted([stream, article])
    assert answer(store, "drop", "--category", "account", "--yes") == {"dropped": []}


def asked(store: Store, said: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command whose user says this on a terminal."""
    terminal, own_end = pty.openpty()
    command = ("/usr/bin/env", f"FOLDSTREAM_EVENTSTORE_URI={store.uri}", *FOLDSTREAM, "snapshots", *arguments)
    with os.fdopen(terminal, "wb", buffering=0) as keyboard:
        process = subprocess.Popen(command, stdin=own_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(own_end)
        keyboard.write(f"{said}\n".encode())
        output, errors = process.communicate(timeout=30)
    return process.returncode, output.strip(), errors


@pytest.mark.parametrize(("said", "code", "left"), [("y", 0, 0), ("n", 1, 1)])
def test_on_a_terminal_it_asks_before_it_drops(store: Store, said: str, code: int, left: int) -> None:
    stream = store.account(2)
    output(store, "retake", stream)
    ended, said_back, errors = asked(store, said, "drop", stream)
    assert (ended, len(store.records(snapshot_stream(stream)) or [])) == (code, left)
    assert errors.startswith("Drop the snapshots of 1 stream? [y/N]:")
    assert said_back == ("" if code else "Dropped the snapshots of 1 stream.")


@pytest.mark.parametrize(("said", "code", "taken"), [("y", 0, 1), ("n", 1, 0)])
def test_on_a_terminal_it_asks_before_it_takes_many(store: Store, said: str, code: int, taken: int) -> None:
    streams = [store.account(2), store.account(2)]
    ended, said_back, errors = asked(store, said, "retake", *streams)
    kept = [len(store.records(snapshot_stream(stream)) or []) for stream in streams]
    assert (ended, kept) == (code, [taken] * 2)
    assert errors.startswith("Take the snapshots of 2 streams anew? [y/N]:")
    assert said_back == ("" if code else "Took snapshots of 2 streams.")


def test_who_had_it_done_and_why_is_logged_and_stored(store: Store) -> None:
    stream, actor = store.account(2), f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    environment = {"FOLDSTREAM_EVENTSTORE_URI": store.uri}
    for verb, done in (("retake", "retaken"), ("drop", "dropped")):
        why = f"they look odd, so {verb}"
        command = (*FOLDSTREAM, "snapshots", verb, stream, "--yes", "--why", why)
        process = Listened(command, environment)
        assert (process.wait(within=30), len(process.errors)) == (0, 1)
        line = json.loads(process.errors[0])
        assert (line["event"], line["actor"], line["why"], line["streams"]) == (f"snapshots_{done}", actor, why, 1)
    [record] = store.reader.page(f"$${snapshot_stream(stream)}", None, 1, backwards=True) or []
    assert json.loads(record.metadata) == {"actor": actor, "why": "they look odd, so drop"}


def test_a_sku_may_stand_for_its_stream(store: Store) -> None:
    name, article = store.stock(100)
    assert answer(store, "retake", name)["snapshots"] == [{"stream": article, "result": "taken", "version": 99}]
    assert listed(store, name) == {article: (99, "usable", 99, 0)}


def test_a_wrong_state_is_replaced_at_the_same_version(store: Store) -> None:
    stream = store.account(100)
    output(store, "retake", stream)
    kept = snapshot_stream(stream)
    [good] = store.records(kept) or []
    store.append(kept, NewRecord(good.type, good.data.replace(b'"100.00"', b'"999.00"')))
    output(store, "retake", stream)
    *_, newest = store.records(kept) or []
    assert json.loads(newest.data)["state"] == json.loads(good.data)["state"]


def test_each_snapshot_that_can_not_be_taken_is_listed_with_its_reason(store: Store) -> None:
    cut, odd, whole = store.account(120), store.account(120), store.account(120)
    store.operator.set_metadata(cut, {"$tb": 5})
    store.append(odd, NewRecord("AccountFrozen", b"{}", b"{}"))
    assert answer(store, "retake", "--category", "account", "--yes", code=1)["snapshots"] == [
        {"stream": cut, "result": "incomplete", "version": 119},
        {"stream": odd, "result": "unreadable", "version": None},
        {"stream": whole, "result": "taken", "version": 119},
    ]
    assert [line.split() for line in output(store, "retake", cut, code=1)] == [
        ["stream", "version", "result"],
        [cut, "119", "incomplete"],
        ["Took", "snapshots", "of", "0", "streams."],
    ]


@pytest.mark.parametrize(("events", "kept"), [(100, snapshot_stream), (SEGMENT + 1, segment_stream)])
def test_a_refusal_for_one_stream_does_not_affect_the_others(
    store: Store, events: int, kept: Callable[[str], str]
) -> None:
    first, whole = store.account(events), store.account(120)
    store.operator.tombstone(kept(first))
    assert answer(store, "retake", "--all", "--yes", code=1)["snapshots"] == [
        {"stream": first, "result": "refused", "version": events - 1},
        {"stream": whole, "result": "taken", "version": 119},
    ]


class ContendedStreams(Streams):
    """Somebody else appends just before each append."""

    async def append(self, stream: str, version: int, records: Sequence[NewRecord]) -> Appended:
        await super().append(stream, version, [NewRecord("SnapshotTaken", b"{}")])
        return await super().append(stream, version, records)


def test_a_stream_whose_races_are_all_lost_is_busy(store: Store) -> None:
    stream = store.account(10)

    async def run() -> Retaken:
        async with connected(store.uri) as client:
            return await retake(ContendedStreams(client, CODEC), stream)

    assert asyncio.run(run()) == Retaken(stream, "busy", 9)


def test_no_other_command_sees_the_streams_of_snapshots(empty_store: Store) -> None:
    store = empty_store
    stream = store.account(120)
    first, *_ = store.records(stream) or []
    correlation_id = json.loads(first.metadata)["$correlationId"]

    def seen() -> tuple[Any, Any, list[str]]:
        checked = answer(store, "check", command=schema)
        searched = answer(store, "trace", correlation_id, command=history)
        return checked, searched, output(store, "export", stream, command=history)

    before = seen()
    output(store, "retake", stream)
    store.append(segment_stream(stream), NewRecord("SegmentSealed", b"{}"))
    assert seen() == before
    checked, searched, exported = before
    assert checked == {"checked": 120, "unreadable": 0, "findings": []}
    assert searched["searched"] == 120
    assert {json.loads(line)["stream"] for line in exported} == {stream}
    assert len(exported) == 120
