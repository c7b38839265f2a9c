"""Which links are made of which event."""

import json
from uuid import UUID

import pytest

from infrastructure.embedded.eventstoredb.projections.source_events import is_considered, source_of
from infrastructure.embedded.eventstoredb.projections.standard import STANDARD, Link
from infrastructure.embedded.eventstoredb.storage.metadata import MAX
from infrastructure.embedded.eventstoredb.storage.record import LogRecord

NOON = 17_000_000_000_000_000
TIME = {"$eventTimestamp": "2023-11-14T22:13:20.000000Z"}


def record(
    stream: str, number: int, kind: str, *, data: bytes = b"{}", json: bool = True, metadata: bytes = b""
) -> LogRecord:
    return LogRecord(1000, stream, number, UUID(int=7), kind, json, NOON, data, metadata)


def links_of(event: LogRecord) -> dict[str, Link]:
    """The links that the projections make, by the projection."""
    source = source_of(event)
    made = {} if source is None else {each.name: each.link(source) for each in STANDARD}
    return {name: link for name, link in made.items() if link is not None}


def test_an_event_is_linked_by_category_type_and_correlation() -> None:
    event = record("order-7-x", 3, "Placed", metadata=b'{"$correlationId": "c-1", "more": [1]}')
    assert links_of(event) == {
        "$by_category": Link("$ce-order", "$>", b"3@order-7-x", {"$o": "order-7-x"}),
        "$by_event_type": Link("$et-Placed", "$>", b"3@order-7-x"),
        "$by_correlation_id": Link("$bc-c-1", "$>", b"3@order-7-x", TIME),
    }


def test_the_first_event_lists_its_stream() -> None:
    assert links_of(record("order-7", 0, "Placed")) == {
        "$by_category": Link("$ce-order", "$>", b"0@order-7", {"$o": "order-7"}),
        "$by_event_type": Link("$et-Placed", "$>", b"0@order-7"),
        "$streams": Link("$streams", "$>", b"0@order-7"),
        "$stream_by_category": Link("$category-order", "$@", b"order-7"),
    }


@pytest.mark.parametrize("stream", ["order", "-order"])
def test_a_stream_without_anything_before_a_dash_has_no_category(stream: str) -> None:
    assert links_of(record(stream, 1, "Placed")) == {"$by_event_type": Link("$et-Placed", "$>", f"1@{stream}".encode())}


def test_a_link_that_somebody_wrote_is_passed_on_by_category_and_has_no_type() -> None:
    assert links_of(record("order-7", 1, "$>", data=b"5@other", json=False, metadata=b'{"$correlationId":"c"}')) == {
        "$by_category": Link("$ce-order", "$>", b"5@other", {"$o": "order-7"})
    }


def test_a_soft_delete_is_one_more_event_of_the_stream() -> None:
    assert links_of(record("$$order-7", 4, "$metadata", data=json.dumps({"$tb": MAX}).encode())) == {
        "$by_category": Link("$ce-order", "$>", b"4@$$order-7", {"$o": "order-7", "$deleted": -1}),
        "$by_event_type": Link("$et-$deleted", "$>", b"4@order-7", {"$deleted": -1}),
    }


def test_a_tombstone_is_one_more_event_of_the_stream() -> None:
    address = f"{MAX}@order-7".encode()
    assert links_of(record("order-7", MAX, "$streamDeleted", data=b"", json=False)) == {
        "$by_category": Link("$ce-order", "$>", address, {"$o": "order-7", "$deleted": -1}),
        "$by_event_type": Link("$et-$deleted", "$>", address, {"$deleted": -1}),
    }


def test_other_metadata_is_listed_by_type_under_the_name_of_its_stream() -> None:
    assert links_of(record("$$order-7", 0, "$metadata", data=b'{"$maxCount": 3}')) == {
        "$by_event_type": Link("$et-$metadata", "$>", b"0@order-7"),
        "$streams": Link("$streams", "$>", b"0@$$order-7"),
    }


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_said_to_be_json_and_is_not_is_skipped(data: bytes) -> None:
    assert links_of(record("order-7", 0, "Placed", data=data)) == {}


@pytest.mark.parametrize("data", [b"", b"\xff"])
def test_what_is_not_said_to_be_json_is_taken(data: bytes) -> None:
    assert links_of(record("order-7", 1, "Placed", data=data, json=False)).keys() == {"$by_category", "$by_event_type"}


def test_json_may_be_of_any_kind_and_its_numbers_of_any_length() -> None:
    made = [links_of(record("plain", 1, "T", data=data)).keys() for data in (b"null", b'"text"', b"9" * 9_000)]
    assert made == [{"$by_event_type"}] * 3


@pytest.mark.parametrize(
    "metadata",
    [b"", b"{", b"[]", b'{"$correlationId": 5}', b'{"$correlationId": null}', b'{"other": "$correlationId"}'],
)
def test_without_a_text_as_correlation_id_there_is_no_such_link(metadata: bytes) -> None:
    assert links_of(record("plain", 1, "T", metadata=metadata)).keys() == {"$by_event_type"}


def test_a_correlation_id_that_is_no_text_in_any_encoding_is_made_one() -> None:
    made = links_of(record("plain", 1, "T", metadata=b'{"$correlationId": "a\\ud800"}'))
    assert made["$by_correlation_id"].target == "$bc-a\N{REPLACEMENT CHARACTER}"


def test_system_streams_and_their_metadata_are_left_alone() -> None:
    names = ("order-7", "$$order-7", "$ce-order", "$$$ce-order", "$streams", "$persistentSubscriptionConfig")
    assert [is_considered(name) for name in names] == [True, True, False, False, False, False]
