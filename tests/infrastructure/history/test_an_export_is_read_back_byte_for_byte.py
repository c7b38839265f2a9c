"""An export is read back byte for byte, keeps its format, and folds to the same states without a store."""

import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.history.errors import ExportUnreadable
from infrastructure.history.export import line_of, records_in
from infrastructure.history.past import walk
from infrastructure.history.records import Records
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import BOUNDARY, CODEC, NOW, append, balance, opened, past, stored, told

ACCOUNT = "account-6f0f1f0e-6f0a-4d0e-9d55-0c3f6f8f7a11"
FIRST, SECOND = UUID("8d3a5c1e-2b4f-4e6a-9c7d-1f0e2d3c4b5a"), UUID("0f9e8d7c-6b5a-4948-b372-615f4e3d2c1b")
EXPORTED = [  # as earlier releases wrote them
    (
        f'{{"stream": "{ACCOUNT}", "version": 0, "position": 2117, "prepare_position": 2117, "id": "{FIRST}", '
        '"type": "AccountOpened", "content_type": "application/json", "created": "2026-03-01T15:00:00.123456Z", '
        '"data": {"owner_id": "Café", "credit_limit": {"amount": "0.00", "currency": "EUR"}}, '
        '"metadata": {"$correlationId": "c", "schema_version": 1}}'
    ),
    (
        f'{{"stream": "{ACCOUNT}", "version": 1, "position": 3201, "prepare_position": 3150, "id": "{SECOND}", '
        '"type": "Odd", "content_type": "application/octet-stream", "created": "2026-03-01T15:00:00Z", '
        '"data_base64": "/wA=", "metadata_base64": ""}'
    ),
    (
        f'{{"stream": "{ACCOUNT}", "version": 2, "position": null, "prepare_position": null, "id": "{FIRST}", '
        '"type": "Odd", "content_type": "application/json", "created": null, '
        '"data_base64": "eyJhIjogMX0=", "metadata": {}}'
    ),
]
RECORDS = [
    Record(
        ACCOUNT,
        0,
        2117,
        FIRST,
        "AccountOpened",
        '{"owner_id":"Café","credit_limit":{"amount":"0.00","currency":"EUR"}}'.encode(),
        b'{"$correlationId":"c","schema_version":1}',
        NOW.replace(microsecond=123456),
        "application/json",
        2117,
    ),
    Record(ACCOUNT, 1, 3201, SECOND, "Odd", b"\xff\x00", b"", NOW, "application/octet-stream", 3150),
    Record(ACCOUNT, 2, None, FIRST, "Odd", b'{"a": 1}', b"{}", None),
]


def lines_of(store: Operator, stream: str) -> list[str]:
    return [line_of(record) for record in Records(store.reader, stream).through(0, 10**9)]


def record(data: bytes, version: int = 0, stream: str = "account-0") -> Record:
    return Record(stream, version, 1, uuid4(), "Old", data, data, NOW, "application/octet-stream", 1)


def test_every_record_is_read_back_as_it_was(store: Operator) -> None:
    stream = f"looked_back_on-{uuid4()}"  # of no read model: workers stop at records that they can't read
    odd = NewRecord(type="Odd", data=b"\xff\x00", metadata=b"not json", content_type="application/octet-stream")
    sent = [stored(opened(str(uuid4()))), odd]
    append(store, stream, sent[:1])
    store.reader.append(stream, 0, odd)
    found = list(records_in("file", lines_of(store, stream)))
    assert found == store.reader.page(stream, 0, 10)
    assert [NewRecord(each.type, each.data, each.metadata, each.content_type) for each in found] == sent


def test_the_format_is_that_of_earlier_releases() -> None:
    assert [line_of(record) for record in RECORDS] == EXPORTED
    assert list(records_in("file", EXPORTED)) == RECORDS


def test_the_states_are_those_of_the_store(store: Operator) -> None:
    stream, _ = told(store, "100.00", "20.00")
    steps = list(walk(records_in("file", lines_of(store, stream)), BOUNDARY, CODEC))
    assert steps == list(past(store, stream).changes(None, None))
    assert steps[-1].after == balance("120.00")


def test_json_stays_readable_in_the_file(store: Operator) -> None:
    stream, _ = told(store, "100.00")
    line = json.loads(lines_of(store, stream)[1])
    assert line["data"] == {"account_id": stream.partition("-")[2], "amount": {"amount": "100.00", "currency": "EUR"}}


@given(
    st.one_of(st.binary(), st.sampled_from([b'{"a": 1}', b'"\\ud800"', b"1e5", b"NaN", b'{"a":1,"a":2}', b"{}", b""]))
)
@settings(deadline=None)
def test_any_bytes_are_read_back(data: bytes) -> None:
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
def test_an_invalid_export_is_refused_with_the_line(lines: list[str], message: str) -> None:
    with pytest.raises(ExportUnreadable) as refusal:
        list(records_in("file", lines))
    assert str(refusal.value) == message
