"""An exported stream reads back byte for byte, and folds to the same states on a machine without a store."""

import json
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient, NewEvent, RecordedEvent
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.errors import ExportUnreadable
from infrastructure.history.export import line_of, records_in
from infrastructure.history.past import walk
from infrastructure.history.records import Records
from tests.infrastructure.history.ledger import BOUNDARY, CODEC, NOW, append, balance, opened, past, stored, told


def lines_of(store: EventStoreDBClient, stream: str) -> list[str]:
    return [line_of(record) for record in Records(store, stream).through(0, 10**9)]


def record(data: bytes, version: int = 0, stream: str = "account-0") -> RecordedEvent:
    return RecordedEvent("Old", data, data, "application/octet-stream", uuid4(), stream, version, 1, 1, NOW)


def test_every_record_as_it_was(store: EventStoreDBClient) -> None:
    stream = f"looked_back_on-{uuid4()}"  # of no read model: they stop at what they can't read
    append(store, stream, [stored(opened(str(uuid4())))])
    odd = NewEvent(type="Odd", data=b"\xff\x00", metadata=b"not json", content_type="application/octet-stream")
    append(store, stream, [odd])
    assert tuple(records_in("file", lines_of(store, stream))) == store.get_stream(stream)


def test_the_states_are_those_of_the_store(store: EventStoreDBClient) -> None:
    stream, _ = told(store, "100.00", "20.00")
    steps = list(walk(records_in("file", lines_of(store, stream)), BOUNDARY, CODEC))
    assert steps == list(past(store, stream).changes(None, None))
    assert steps[-1].after == balance("120.00")


def test_json_stays_readable_in_the_file(store: EventStoreDBClient) -> None:
    stream, _ = told(store, "100.00")
    said = json.loads(lines_of(store, stream)[1])
    assert said["data"] == {"account_id": stream.partition("-")[2], "amount": {"amount": "100.00", "currency": "EUR"}}


@given(
    st.one_of(st.binary(), st.sampled_from([b'{"a": 1}', b'"\\ud800"', b"1e5", b"NaN", b'{"a":1,"a":2}', b"{}", b""]))
)
def test_any_bytes(data: bytes) -> None:
    original = record(data)
    assert list(records_in("file", [line_of(original)])) == [original]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "file, line 1: it holds no record"),
        (["{}"], "file, line 1: type is missing"),
        (["[]"], "file, line 1: is no exported record: list indices must be integers or slices, not str"),
        (
            [line_of(record(b"{}")), "", line_of(record(b"{}"))],
            "file, line 3: version 0 follows on 0",
        ),
        (
            [line_of(record(b"{}")), line_of(record(b"{}", 1, "account-1"))],
            "file, line 2: is of account-1, the lines before are of account-0",
        ),
    ],
)
def test_what_is_no_export_is_named_by_its_line(lines: list[str], message: str) -> None:
    with pytest.raises(ExportUnreadable) as refusal:
        list(records_in("file", lines))
    assert str(refusal.value) == message
