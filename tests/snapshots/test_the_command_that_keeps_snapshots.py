"""`foldstream snapshots` lists from where loads begin, drops snapshots and takes them anew."""

import asyncio
import json
import os
import pty
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.appending import Appended
from infrastructure.eventstore.reading import Streams
from infrastructure.eventstore.streams import segment_stream, snapshot_stream
from service.cli.history import commands as history
from service.cli.schema import commands as schema
from service.cli.snapshots.retake import Retaken, retake
from service.history.sources import CODEC
from tests.eventstore.tally import connected
from tests.history.ledger import append
from tests.snapshots.command import account, answer, grow, output, standing, stock, uri_of
from tests.support.processes import FOLDSTREAM


def test_all_streams_that_are_long_enough_are_listed(store: EventStoreDBClient) -> None:
    kept, bare, broken, gone = account(store, 250), account(store, 120), account(store, 100), account(store, 150)
    account(store, 99)
    _, article = stock(store, 130)
    output(store, "retake", kept, broken, gone)
    grow(store, kept, 30)
    append(store, snapshot_stream(broken), [NewEvent(type="SnapshotTaken", data=b"{") for _ in range(3)])
    store.delete_stream(gone, current_version=149)
    listed = answer(store, "list")
    assert listed["summary"] == {
        "streams": 5,
        "misses": 3,
        "states": {"missing": 2, "not-due": 1, "undecodable": 1, "usable": 1},
    }
    assert standing(store) == {
        kept: (279, "usable", 249, 30),
        bare: (119, "missing", None, 120),
        broken: (99, "undecodable", None, 100),
        article: (129, "missing", None, 130),
    }
    assert standing(store, "--category", "stock") == {article: (129, "missing", None, 130)}
    assert standing(store, "--behind", "120").keys() == {bare, article}
    [usable] = [each for each in listed["snapshots"] if each["state"] == "usable"]
    assert usable["taken_at"].endswith("Z")
    assert 0 <= usable["age_seconds"] < 60


def test_the_list_for_people(store: EventStoreDBClient) -> None:
    stream = account(store, 110)
    assert [line.split() for line in output(store, "list")] == [
        ["stream", "version", "snapshot", "behind", "age", "state"],
        [stream, "109", "—", "110", "—", "missing"],
        ["1", "stream,", "1", "missing;", "1", "can't", "be", "loaded", "from", "a", "snapshot."],
    ]
    assert output(store, "retake", stream) == ["Took snapshots of 1 stream."]
    listed = output(store, "list", stream)
    assert listed[1].split()[:4] == [stream, "109", "109", "0"]
    assert listed[2] == "1 stream, 1 usable; 0 can't be loaded from a snapshot."


def test_a_stream_that_is_named_is_shown_however_short(store: EventStoreDBClient) -> None:
    stream = account(store, 3)
    assert standing(store, stream) == {stream: (2, "not-due", None, 3)}
    assert standing(store) == {}
    output(store, "retake", stream)
    assert standing(store, stream) == {stream: (2, "usable", 2, 0)}


def test_snapshots_are_dropped_and_taken_anew(store: EventStoreDBClient) -> None:
    stream = account(store, SEGMENT + 104)
    _, article = stock(store, 100)
    assert answer(store, "retake", "--all") == {
        "snapshots": [
            {"stream": stream, "result": "taken", "version": SEGMENT + 103},
            {"stream": article, "result": "taken", "version": 99},
        ]
    }
    assert answer(store, "drop", stream, "--yes") == {"dropped": [stream]}
    assert standing(store) == {
        stream: (SEGMENT + 103, "missing", None, SEGMENT + 104),
        article: (99, "usable", 99, 0),
    }
    assert store.get_stream(segment_stream(stream)) == ()
    assert store.get_stream_metadata(snapshot_stream(stream))[0] == {"$maxCount": 3, "$tb": 1}
    assert answer(store, "retake", "--all", "--missing")["snapshots"] == [
        {"stream": stream, "result": "taken", "version": SEGMENT + 103}
    ]
    assert standing(store, stream) == {stream: (SEGMENT + 103, "usable", SEGMENT + 103, 0)}
    assert [record.stream_position for record in store.get_stream(segment_stream(stream))] == [1]
    assert sorted(answer(store, "drop", "--all", "--yes")["dropped"]) == sorted([stream, article])
    assert answer(store, "drop", "--category", "account", "--yes") == {"dropped": []}


@pytest.mark.parametrize(("said", "code", "left"), [("y", 0, 0), ("n", 1, 1)])
def test_on_a_terminal_it_asks_before_it_drops(store: EventStoreDBClient, said: str, code: int, left: int) -> None:
    stream = account(store, 2)
    output(store, "retake", stream)
    terminal, own_end = pty.openpty()
    command = ("/usr/bin/env", f"FOLDSTREAM_EVENTSTORE_URI={uri_of(store)}", *FOLDSTREAM, "snapshots", "drop", stream)
    with os.fdopen(terminal, "wb", buffering=0) as keyboard:
        process = subprocess.Popen(command, stdin=own_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(own_end)
        keyboard.write(f"{said}\n".encode())
        said_back, errors = process.communicate(timeout=30)
    assert (process.returncode, len(store.get_stream(snapshot_stream(stream)))) == (code, left)
    assert errors.startswith("Drop the snapshots of 1 stream? [y/N]:")
    assert said_back.strip() == ("" if code else "Dropped the snapshots of 1 stream.")


def test_a_sku_is_named_as_elsewhere(store: EventStoreDBClient) -> None:
    name, article = stock(store, 100)
    assert answer(store, "retake", name)["snapshots"] == [{"stream": article, "result": "taken", "version": 99}]
    assert standing(store, name) == {article: (99, "usable", 99, 0)}


def test_a_wrong_state_is_replaced_at_the_same_version(store: EventStoreDBClient) -> None:
    stream = account(store, 100)
    output(store, "retake", stream)
    kept = snapshot_stream(stream)
    [good] = store.get_stream(kept)
    append(store, kept, [NewEvent(type=good.type, data=good.data.replace(b'"100.00"', b'"999.00"'))])
    output(store, "retake", stream)
    newest = store.get_stream(kept, backwards=True, limit=1)[0]
    assert json.loads(newest.data)["state"] == json.loads(good.data)["state"]


def test_what_can_not_be_taken_is_said(store: EventStoreDBClient) -> None:
    cut, odd, whole = account(store, 120), account(store, 120), account(store, 120)
    store.set_stream_metadata(cut, metadata={"$tb": 5}, timeout=5)
    append(store, odd, [NewEvent(type="AccountFrozen", data=b"{}", metadata=b"{}")])
    assert answer(store, "retake", "--category", "account", code=1)["snapshots"] == [
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
def test_what_is_refused_of_one_stream_hinders_no_other(
    store: EventStoreDBClient, events: int, kept: Callable[[str], str]
) -> None:
    first, whole = account(store, events), account(store, 120)
    store.tombstone_stream(kept(first), current_version=StreamState.ANY, timeout=5)
    assert answer(store, "retake", "--all", code=1)["snapshots"] == [
        {"stream": first, "result": "refused", "version": events - 1},
        {"stream": whole, "result": "taken", "version": 119},
    ]


class Contended(Streams):
    """Somebody else appends just before, each time."""

    async def append(self, stream: str, version: int, events: Sequence[NewEvent]) -> Appended:
        await super().append(stream, version, [NewEvent(type="SnapshotTaken", data=b"{}")])
        return await super().append(stream, version, events)


def test_who_is_never_the_first_to_append_is_told_so(store: EventStoreDBClient) -> None:
    stream = account(store, 10)

    async def run() -> Retaken:
        async with connected(uri_of(store)) as client:
            return await retake(Contended(client, CODEC), stream)

    assert asyncio.run(run()) == Retaken(stream, "busy", 9)


def test_no_other_command_sees_the_streams_of_snapshots(empty_store: EventStoreDBClient) -> None:
    store = empty_store
    stream = account(store, 120)
    correlation_id = json.loads(store.get_stream(stream, limit=1)[0].metadata)["$correlationId"]

    def seen() -> tuple[Any, Any, list[str]]:
        checked = answer(store, "check", command=schema.app)
        searched = answer(store, "trace", correlation_id, command=history.app)
        return checked, searched, output(store, "export", stream, command=history.app)

    before = seen()
    output(store, "retake", stream)
    append(store, segment_stream(stream), [NewEvent(type="SegmentSealed", data=b"{}")])
    assert seen() == before
    checked, searched, exported = before
    assert checked == {"checked": 120, "unreadable": 0, "findings": []}
    assert searched["searched"] == 120
    assert {json.loads(line)["stream"] for line in exported} == {stream}
    assert len(exported) == 120
