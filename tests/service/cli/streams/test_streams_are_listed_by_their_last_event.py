"""`foldstream streams` lists each stream once, the last written first, however few are listed at a time."""

import json
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.eventstore.record import NewRecord
from infrastructure.times import time_text
from tests.infrastructure.eventstore.operator import Operator
from tests.service.cli.streams.command import said

LEDGER, ACME, STRANGE = "ledger-1", "acme.ledger-2", "a name\nof two lines"
GONE, BURIED = "cellar-gone", "cellar-buried"
EVENT = NewRecord("Booked", b"{}")


@pytest.fixture(scope="module")
def written(operator: Operator) -> dict[str, str]:
    """The time of the last event of each stream that is there."""
    for stream in (LEDGER, ACME, GONE, BURIED, STRANGE, LEDGER):
        operator.append(stream, EVENT, EVENT)
    operator.delete(GONE)
    operator.tombstone(BURIED)
    newest = {name: (operator.reader.page(name, None, 1, backwards=True) or [])[0] for name in (LEDGER, ACME, STRANGE)}
    return {name: time_text(record.at) for name, record in newest.items() if record.at is not None}


def listed(uri: str, *arguments: str) -> dict[str, Any]:
    ended = said(uri, "streams", "--json", *arguments)
    assert (ended.code, ended.refusal) == (0, "")
    found: dict[str, Any] = json.loads("\n".join(ended.output))
    return found


def names(uri: str, *arguments: str) -> list[str]:
    """Those that clients have named: each run leaves an entry in the access log."""
    return [each["stream"] for each in listed(uri, *arguments)["streams"] if each["category"] != "access"]


def test_each_has_its_category_its_number_of_events_and_its_last(uri: str, written: dict[str, str]) -> None:
    found = listed(uri, "--category", "ledger")
    assert (found["looked_at"], found["next"]) == (6, None)
    assert [each.pop("position").isdecimal() for each in found["streams"]] == [True, True]
    told = {"category": "ledger", "last_type": "Booked"}
    assert found["streams"] == [
        {"stream": LEDGER, "events": 4, "last_at": written[LEDGER], **told},
        {"stream": ACME, "events": 2, "last_at": written[ACME], **told},
    ]


def test_a_category_and_a_tenant_narrow_it_and_what_was_deleted_is_left_out(uri: str, written: dict[str, str]) -> None:
    assert set(names(uri)) == set(written)
    assert names(uri, "--category", "ledger", "--tenant", "acme") == [ACME]
    assert names(uri, "--tenant", "acme") == [ACME]
    assert names(uri, "--tenant", "default") == [LEDGER, STRANGE]
    assert names(uri, "--category", "ledge") == []


@pytest.mark.parametrize("bound", [("--limit", "1"), ("--look-at", "2")])
def test_it_goes_on_where_it_stopped_and_lists_each_once(
    uri: str, written: dict[str, str], bound: tuple[str, str]
) -> None:
    found, going_on = list[str](), listed(uri, "--category", "ledger", *bound)
    while going_on["next"] is not None:
        found += [each["stream"] for each in going_on["streams"]]
        going_on = listed(uri, "--category", "ledger", *bound, "--before", going_on["next"])
    assert [*found, *(each["stream"] for each in going_on["streams"])] == [LEDGER, ACME]


def test_people_get_a_table_and_are_told_how_to_go_on(uri: str, written: dict[str, str]) -> None:
    code, output, _ = said(uri, "streams", "--category", "ledger", "--limit", "1")
    assert code == 0
    assert output[0].split() == ["stream", "category", "events", "last", "event", "at"]
    assert output[1].split() == [LEDGER, "ledger", "4", "Booked", written[LEDGER]]
    assert output[2].startswith("1 streams, in 1 events. There may be more: --before ")


def test_a_position_of_no_record_is_refused(uri: str) -> None:
    reason = "no record lies at position 3; `position` of a record that was read is one"
    assert said(uri, "streams", "--before", "3") == (None, [], reason)


def test_without_anything_in_the_log_nothing_is_listed(uri: str) -> None:
    found = listed(uri, "--category", str(uuid4()))
    assert found == {"streams": [], "looked_at": 0, "next": None}
