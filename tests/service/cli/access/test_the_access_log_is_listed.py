"""`foldstream access-log` lists who looked at what, by subject, resource, action and time, for people and programs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.stock.stock import stock_id
from domain.stream_name import access_stream
from infrastructure.access.access_entry import record_with
from infrastructure.eventstore.record import NewRecord
from infrastructure.terminal import printable
from infrastructure.times import time_text
from tests.infrastructure.access.entries import entry, new_tenant
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL
from tests.support.commands import ran

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(eventstore_uri: str) -> Iterator[Operator]:
    with operating(eventstore_uri) as operator:
        yield operator


@pytest.fixture
def tenant(store: Operator) -> str:
    """With three entries: of an hour ago, of a day and an hour ago, and of ten days ago."""
    made = new_tenant()
    mug = f"stock-{stock_id('mug')}"
    refused = {"outcome": "refused", "rule": "forbidden", "roles": ()}
    for each in (
        entry(1, NOW - timedelta(days=10), subject="eve"),
        entry(2, NOW - 25 * HOUR, subject="bob", resource=mug),
        entry(3, NOW - HOUR, subject=EVIL, action="export-history", **refused),
    ):
        store.append(access_stream(each.at.date(), made), record_with(each))
    return made


def lines(uri: str, tenant: str, *arguments: str) -> list[dict[str, Any]]:
    ended = ran("access-log", "--tenant", tenant, "--json", *arguments, FOLDSTREAM_EVENTSTORE_URI=uri)
    assert (ended.code, ended.errors) == (0, [])
    return [json.loads(line) for line in ended.output]


def test_a_week_is_listed_oldest_first_as_lines_of_json(eventstore_uri: str, tenant: str) -> None:
    bob, evil = lines(eventstore_uri, tenant)
    assert bob["subject"] == "bob"
    assert str(UUID(evil.pop("entry_id"))) != bob["entry_id"]
    assert evil == {
        "at": time_text(NOW - HOUR),
        "subject": EVIL,
        "roles": [],
        "action": "export-history",
        "resource": "order-0003",
        "outcome": "refused",
        "rule": "forbidden",
        "correlation_id": str(UUID(int=3)),
        "source": "http",
        "times": 1,
    }


def test_it_is_asked_by_whom_of_what_and_when(eventstore_uri: str, tenant: str) -> None:
    def found(*arguments: str) -> list[int]:
        return [UUID(each["correlation_id"]).int for each in lines(eventstore_uri, tenant, *arguments)]

    assert found("--from", "20d") == [1, 2, 3]
    assert found("--from", "20d", "--to", "2h") == [1, 2]
    assert found("--from", "2d", "--subject", "bob") == [2]
    assert found("--resource", "stock:mug") == [2]
    assert found("--action", "export-history") == [3]
    assert found("--subject", "eve") == []


def test_people_get_a_table_in_which_nothing_acts_on_their_terminal(eventstore_uri: str, tenant: str) -> None:
    ended = ran("access-log", "--tenant", tenant, FOLDSTREAM_EVENTSTORE_URI=eventstore_uri)
    heading, bob, evil = ended.output
    assert heading.split("  ")[0] == "at"
    assert bob.split()[:4] == [time_text(NOW - 25 * HOUR), "bob", "auditor", "read-history"]
    assert printable(EVIL) in evil
    assert "refused: forbidden" in evil
    assert [char for line in ended.output for char in line if not char.isprintable()] == []


def test_a_count_of_refusals_says_how_many(eventstore_uri: str, store: Operator) -> None:
    tenant, counted = new_tenant(), entry(4, NOW - HOUR, outcome="refused", rule="unauthenticated", times=1_234)
    store.append(access_stream(counted.at.date(), tenant), record_with(counted))
    assert [each["times"] for each in lines(eventstore_uri, tenant)] == [1_234]
    _, row = ran("access-log", "--tenant", tenant, FOLDSTREAM_EVENTSTORE_URI=eventstore_uri).output
    assert "refused: unauthenticated, 1,234 times" in row


def test_an_entry_that_can_not_be_read_is_told_and_the_others_are_listed(
    eventstore_uri: str, store: Operator, tenant: str
) -> None:
    stream = access_stream((NOW - 25 * HOUR).date(), tenant)
    store.append(stream, NewRecord("AccessRecorded", b"{}", b'{"schema_version":2}'))
    ended = ran("access-log", "--tenant", tenant, "--json", FOLDSTREAM_EVENTSTORE_URI=eventstore_uri)
    assert (ended.code, len(ended.output), len(ended.errors)) == (3, 2, 1)
    assert ended.errors[0].startswith(f"foldstream access-log: {stream} holds at version 1 ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tenant", "Acme"), "a tenant is a lower-case word of at most 32 characters, unlike 'Acme'"),
        (("--from", "2h", "--to", "3h"), "--from should be before the end of the time"),
        (("--from", "500d"), "--from should be at most 400 days before the end of the time"),
    ],
)
def test_what_can_not_be_asked_is_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    ended = ran("access-log", *arguments, FOLDSTREAM_EVENTSTORE_URI="esdb://127.0.0.1:1?tls=false")
    assert (ended.code, ended.output) == (2, [])
    assert said in ended.errors[-1]
