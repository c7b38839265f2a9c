"""`foldstream snapshots` lists from where loads begin, drops snapshots and takes them anew, as people run it."""

import json
import os
import pty
import socket
import subprocess
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient, NewEvent

from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.client import reader_client
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.streams import segment_stream, snapshot_stream
from tests.history.ledger import append, deposited, metadata, opened, stored
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import FOLDSTREAM, Listened

STOCK = f"stock-{stock_id('mug-blue')}"


@pytest.fixture
def store() -> Iterator[EventStoreDBClient]:
    """A store with nothing else in it: what is listed is all there is."""
    with EventStoreProcess(None) as process, reader_client(process.uri) as client:
        yield client


def uri_of(store: EventStoreDBClient) -> str:
    return f"esdb://{store.connection_spec.targets[0]}?tls=false"


def run(store: EventStoreDBClient | None, *arguments: str, code: int = 0) -> tuple[list[str], list[str]]:
    """The output and the errors of a command that ends with this code."""
    environment = {} if store is None else {"FOLDSTREAM_EVENTSTORE_URI": uri_of(store)}
    process = Listened((*FOLDSTREAM, "snapshots", *arguments), environment)
    assert (process.wait(within=30), code) == (code, code), process.errors
    return process.output, process.errors


def answer(store: EventStoreDBClient, *arguments: str, code: int = 0) -> Any:
    return json.loads("\n".join(run(store, *arguments, "--json", code=code)[0]))


def account(store: EventStoreDBClient, events: int) -> str:
    """An account's stream with so many events."""
    own_id = str(uuid4())
    stream = f"account-{own_id}"
    told = [stored(opened(own_id)), *(stored(deposited(own_id, "1.00")) for _ in range(events - 1))]
    for first in range(0, events, 1000):
        append(store, stream, told[first : first + 1000])
    return stream


def grow(store: EventStoreDBClient, stream: str, events: int) -> None:
    append(store, stream, [stored(deposited(stream.partition("-")[2], "1.00")) for _ in range(events)])


def stock(store: EventStoreDBClient, events: int) -> None:
    codec = EventCodec((SkuRegistered, StockReceived))
    facts = [SkuRegistered(sku="mug-blue"), *(StockReceived(sku="mug-blue", quantity=1) for _ in range(events - 1))]
    append(store, STOCK, [codec.encode(fact, uuid4(), metadata(fact, correlation=uuid4())) for fact in facts])


def standing(store: EventStoreDBClient, *arguments: str) -> dict[str, tuple[int, str, int | None, int]]:
    listed = answer(store, "list", *arguments)["snapshots"]
    return {
        each["stream"]: (each["version"], each["state"], each["snapshot_version"], each["behind"]) for each in listed
    }


def test_all_streams_that_are_long_enough_are_listed(store: EventStoreDBClient) -> None:
    kept, bare, broken, gone = account(store, 250), account(store, 120), account(store, 100), account(store, 150)
    account(store, 99)
    stock(store, 130)
    run(store, "retake", kept, broken, gone)
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
        STOCK: (129, "missing", None, 130),
    }
    assert standing(store, "--category", "stock") == {STOCK: (129, "missing", None, 130)}
    assert standing(store, "--behind", "120").keys() == {bare, STOCK}
    [usable] = [each for each in listed["snapshots"] if each["state"] == "usable"]
    assert usable["taken_at"].endswith("Z")
    assert 0 <= usable["age_seconds"] < 60


def test_the_list_for_people(store: EventStoreDBClient) -> None:
    stream = account(store, 110)
    output, _ = run(store, "list")
    assert [line.split() for line in output] == [
        ["stream", "version", "snapshot", "behind", "age", "state"],
        [stream, "109", "—", "110", "—", "missing"],
        ["1", "stream,", "1", "missing;", "1", "can't", "be", "loaded", "from", "a", "snapshot."],
    ]
    output, _ = run(store, "retake", stream)
    assert output == ["Took snapshots of 1 stream."]
    output, _ = run(store, "list", stream)
    assert output[1].split()[:4] == [stream, "109", "109", "0"]
    assert output[2] == "1 stream, 1 usable; 0 can't be loaded from a snapshot."


def test_a_stream_that_is_named_is_shown_however_short(store: EventStoreDBClient) -> None:
    stream = account(store, 3)
    assert standing(store, stream) == {stream: (2, "not-due", None, 3)}
    assert standing(store) == {}
    run(store, "retake", stream)
    assert standing(store, stream) == {stream: (2, "usable", 2, 0)}


def test_snapshots_are_dropped_and_taken_anew(store: EventStoreDBClient) -> None:
    stream = account(store, SEGMENT + 104)
    stock(store, 100)
    assert answer(store, "retake", "--all") == {
        "snapshots": [
            {"stream": stream, "result": "taken", "version": SEGMENT + 103},
            {"stream": STOCK, "result": "taken", "version": 99},
        ]
    }
    assert answer(store, "drop", stream, "--yes") == {"dropped": [stream]}
    assert standing(store) == {
        stream: (SEGMENT + 103, "missing", None, SEGMENT + 104),
        STOCK: (99, "usable", 99, 0),
    }
    assert store.get_stream(segment_stream(stream)) == ()
    assert store.get_stream_metadata(snapshot_stream(stream))[0] == {"$maxCount": 3, "$tb": 1}
    assert answer(store, "retake", "--all", "--missing")["snapshots"] == [
        {"stream": stream, "result": "taken", "version": SEGMENT + 103}
    ]
    assert standing(store, stream) == {stream: (SEGMENT + 103, "usable", SEGMENT + 103, 0)}
    assert [record.stream_position for record in store.get_stream(segment_stream(stream))] == [1]
    assert sorted(answer(store, "drop", "--all", "--yes")["dropped"]) == sorted([stream, STOCK])
    assert answer(store, "drop", "--category", "account", "--yes") == {"dropped": []}


@pytest.mark.parametrize(("said", "code", "left"), [("y", 0, 0), ("n", 1, 1)])
def test_on_a_terminal_it_asks_before_it_drops(store: EventStoreDBClient, said: str, code: int, left: int) -> None:
    stream = account(store, 2)
    run(store, "retake", stream)
    terminal, own_end = pty.openpty()
    command = ("/usr/bin/env", f"FOLDSTREAM_EVENTSTORE_URI={uri_of(store)}", *FOLDSTREAM, "snapshots", "drop", stream)
    with os.fdopen(terminal, "wb", buffering=0) as keyboard:
        process = subprocess.Popen(command, stdin=own_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(own_end)
        keyboard.write(f"{said}\n".encode())
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, len(store.get_stream(snapshot_stream(stream)))) == (code, left)
    assert errors.startswith("Drop the snapshots of 1 stream? [y/N]:")
    assert output.strip() == ("" if code else "Dropped the snapshots of 1 stream.")


def test_a_sku_is_named_as_elsewhere(store: EventStoreDBClient) -> None:
    stock(store, 100)
    assert answer(store, "retake", "stock:mug-blue")["snapshots"] == [
        {"stream": STOCK, "result": "taken", "version": 99}
    ]
    assert standing(store, "stock:mug-blue") == {STOCK: (99, "usable", 99, 0)}


def test_a_wrong_state_is_replaced_at_the_same_version(store: EventStoreDBClient) -> None:
    stream = account(store, 100)
    run(store, "retake", stream)
    kept = snapshot_stream(stream)
    [good] = store.get_stream(kept)
    append(store, kept, [NewEvent(type=good.type, data=good.data.replace(b'"100.00"', b'"999.00"'))])
    run(store, "retake", stream)
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
    output, _ = run(store, "retake", cut, code=1)
    assert [line.split() for line in output] == [
        ["stream", "version", "result"],
        [cut, "119", "incomplete"],
        ["Took", "snapshots", "of", "0", "streams."],
    ]


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("drop",), "give one of STREAM..., --category or --all"),
        (("drop", "account-0", "--all", "--yes"), "give one of STREAM..., --category or --all"),
        (("retake",), "give one of STREAM..., --category or --all"),
        (("list", "account-0", "--category", "order"), "give either streams or categories"),
        (("drop", "account-0"), "there is nobody to ask; --yes drops without asking"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], refusal: str) -> None:
    output, errors = run(None, *arguments, code=2)
    assert (output, errors) == ([], [f"foldstream snapshots: Invalid value: {refusal}"])


def test_what_has_no_snapshots_is_refused(store: EventStoreDBClient) -> None:
    known = "order-…, stock-…, account-…, car-…, room-…, flight-…"
    _, errors = run(store, "list", "fulfilment-0", code=1)
    assert errors == [f"foldstream snapshots: no snapshots are kept of fulfilment-0, only of {known}"]
    _, errors = run(store, "list", "--category", "shop", code=1)
    assert errors == [f"foldstream snapshots: no snapshots are kept of shop-…, only of {known}"]
    _, errors = run(store, "retake", "account-0", code=1)
    assert errors == ["foldstream snapshots: there is no stream account-0"]


@pytest.mark.parametrize("command", [("list",), ("drop", "--all", "--yes"), ("retake", "--all")])
def test_a_store_that_is_away_is_one_line(command: tuple[str, ...]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    process = Listened(
        (*FOLDSTREAM, "snapshots", *command), {"FOLDSTREAM_EVENTSTORE_URI": f"esdb://{address}?tls=false"}
    )
    assert process.wait(within=60) == 1
    assert process.output == []
    [line] = process.errors
    assert line.startswith(f"foldstream snapshots: The event store at {address} can't be used: ")


def test_no_other_command_sees_the_streams_of_snapshots(store: EventStoreDBClient) -> None:
    stream = account(store, SEGMENT + 1)
    run(store, "retake", stream)
    environment = {"FOLDSTREAM_EVENTSTORE_URI": uri_of(store)}
    correlation_id = json.loads(store.get_stream(stream, limit=1)[0].metadata)["$correlationId"]
    check = Listened((*FOLDSTREAM, "schema", "check", "--json"), environment)
    assert check.wait(within=30) == 0
    assert json.loads("\n".join(check.output)) == {"checked": SEGMENT + 1, "unreadable": 0, "findings": []}
    trace = Listened((*FOLDSTREAM, "trace", correlation_id, "--json"), environment)
    assert trace.wait(within=30) == 0
    assert json.loads("\n".join(trace.output))["searched"] == SEGMENT + 1
    export = Listened((*FOLDSTREAM, "export", stream), environment)
    assert export.wait(within=30) == 0
    assert {json.loads(line)["stream"] for line in export.output} == {stream}
    assert len(export.output) == SEGMENT + 1
