"""`foldstream schema` lists what is read, and finds in a store what is not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.upcasting import Payload
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.schema_check import Window
from service.cli.schema.report import EVENTS_BY_CATEGORY
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.eventstore.samples import CODEC, RECORDED, record
from tests.support.commands import Ended, ran
from tests.support.eventstore import EventStoreProcess

ORDER, STOCK = f"order-{uuid4()}", f"stock-{uuid4()}"
NO_TIME = "should be a day or a time such as 2026-03-01T15:00:00Z or 2026-03-01T16:00:00.5+01:00"


def run(*arguments: str, store: str = "") -> Ended:
    """How `foldstream schema` ended."""
    return ran("schema", *arguments, **({"FOLDSTREAM_EVENTSTORE_URI": store} if store else {}))


def stored(sample: str, **metadata: object) -> NewRecord:
    recorded = record(sample)
    said: Payload = json.loads(recorded.metadata) | metadata
    return NewRecord(recorded.type, recorded.data, json.dumps(said, separators=(",", ":")).encode())


UNREADABLE = {
    "unknown-name": NewRecord("OrderMelted", b"{}", b"{}"),
    "unknown-version": stored("OrderShipped.1", schema_version=2),
    "without-metadata": NewRecord("OrderShipped", b"{}"),
    "bad-time": stored("OrderShipped.1", time="2026-02-30T00:00:00Z"),
    "misfit": stored("OrderCreated.2")._replace(data=b'{"order_id": 1}'),
    "elsewhere": stored("SkuRegistered.1"),
}


def append(uri: str, stream: str, *events: NewRecord) -> list[int]:
    """The positions, for streams of a test's own."""
    with operating(uri) as operator:
        return [operator.append(stream, event) for event in events]


@pytest.fixture(scope="module")
def sound() -> Iterator[str]:
    """A store with nothing but what is recorded, and streams of others."""
    with EventStoreProcess(None) as process:
        for sample in RECORDED:
            name = CODEC.events_in(record(sample))[0].event
            category = next(category for category, events in EVENTS_BY_CATEGORY.items() if type(name) in events)
            append(process.uri, f"{category}-{uuid4()}", stored(sample))
        append(process.uri, "noise-1", NewRecord("Noise", b"\xff"))
        yield process.uri


@pytest.fixture(scope="module")
def damaged() -> Iterator[tuple[str, list[int]]]:
    with EventStoreProcess(None) as process:
        append(process.uri, ORDER, stored("OrderPlaced.1"))
        positions = append(process.uri, ORDER, *UNREADABLE.values())
        append(process.uri, STOCK, stored("StockWrittenOff.1"))
        yield process.uri, positions


def test_every_name_and_version_is_listed() -> None:
    code, output, _ = run("list", "--json")
    shapes = json.loads("\n".join(output))
    assert code == 0
    assert sorted(f"{shape['name']}.{shape['version']}" for shape in shapes) == RECORDED
    assert next(shape for shape in shapes if shape["name"] == "OrderPlaced") == {
        "name": "OrderPlaced",
        "version": 1,
        "today": False,
        "becomes": ["OrderConfirmed", "OrderCreated"],
        "fields": {
            "order_id": "string",
            "customer_id": "string",
            "account_id": "string",
            "items": [{"sku": "string", "quantity": "integer", "unit_price": "string"}],
            "total": "string",
        },
    }


def test_people_get_a_line_for_each() -> None:
    code, output, _ = run("list")
    assert code == 0
    assert len(output) == len(RECORDED) + 1
    [line] = [line for line in output if line.startswith("BalanceAdjusted ")]
    assert line.split("  ", 1)[1].split() == [
        *("1", "MoneyDeposited,", "MoneyWithdrawn"),
        *("{account_id:", "string,", "amount:", "string}"),
    ]


def test_a_store_of_all_that_was_ever_released_is_sound(sound: str) -> None:
    streams = ", ".join(f"{category}-…" for category in EVENTS_BY_CATEGORY)
    assert run("check", store=sound) == (0, [f"{len(RECORDED)} events checked in {streams}: 0 can't be read."], [])
    assert run("check", "--json", store=sound)[0] == 0


def test_what_can_not_be_read_is_found_with_its_place(damaged: tuple[str, list[int]]) -> None:
    uri, positions = damaged
    code, output, _ = run("check", "--json", store=uri)
    assert code == 3
    unknown = "metadata: time: Input should be a valid datetime or date, day value is outside expected range"
    found: list[tuple[str, int | None, str, str]] = [
        ("OrderMelted", None, "UnknownEventType", "the name is unknown"),
        ("OrderShipped", 2, "UnknownEventVersion", "version 2 is unknown"),
        ("OrderShipped", None, "UnreadableEvent", "OrderShipped: metadata: Invalid JSON: EOF while parsing a value"),
        ("OrderShipped", 1, "UnreadableEvent", f"OrderShipped: {unknown}"),
        ("OrderCreated", 2, "UnreadableEvent", "OrderCreated: order_id: Input should be a valid string"),
        ("SkuRegistered", 1, "UnreadableEvent", "SkuRegistered: is no event of order"),
    ]
    said: dict[str, Any] = json.loads("\n".join(output))
    for finding in said["findings"]:
        finding["reason"] = finding["reason"].partition(" at line ")[0]
    assert said == {
        "checked": 8,
        "unreadable": 6,
        "findings": [
            {
                "stream": ORDER,
                "version": version,
                "position": position,
                "type": name,
                "schema_version": schema_version,
                "error": error,
                "reason": reason,
            }
            for version, (position, (name, schema_version, error, reason)) in enumerate(
                zip(positions, found, strict=True), 1
            )
        ],
    }


def test_people_see_the_first_of_them_and_how_many_there_are(damaged: tuple[str, list[int]]) -> None:
    code, output, _ = run("check", "--limit", "1", store=damaged[0])
    assert code == 3
    assert output[0].split() == ["stream", "event", "position", "type", "version", "error", "reason"]
    assert output[1].startswith(f"{ORDER}  1 ")
    assert len(output) == 3
    assert output[2].endswith(": 6 can't be read, 1 of them shown.")


def test_only_a_window_of_time_is_checked(damaged: tuple[str, list[int]]) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    code, output, _ = run("check", "--from", tomorrow, "--json", store=damaged[0])
    assert (code, json.loads("\n".join(output))["checked"]) == (0, 0)
    code, output, _ = run("check", "--to", tomorrow, "--json", store=damaged[0])
    assert (code, json.loads("\n".join(output))["checked"]) == (3, 8)


def test_a_window_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    first, last = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    window, moment = Window(first, last), timedelta(microseconds=1)
    assert [window.includes(at) for at in (first - moment, first, last - moment, last)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--from", "yesterday"), f"'yesterday' {NO_TIME}; or how long ago, such as 2h or 7d"),
        (("--from", "999999999w"), "'999999999w' ago there was no year yet"),
        (("--to", "2026-03-01T15:00:00"), f"'2026-03-01T15:00:00' {NO_TIME}; or how long ago, such as 2h or 7d"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "--to is not after --from"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(arguments: tuple[str, ...], reason: str) -> None:
    code, output, [error] = run("check", *arguments, store="esdb://127.0.0.1:1?tls=false")
    assert (code, output) == (2, [])
    assert error.startswith("foldstream schema: ")
    assert error.endswith(reason)


def test_a_store_that_is_away_is_one_line() -> None:
    code, output, [error] = run("check", store="esdb://somebody:a-secret@127.0.0.1:1?tls=false")
    assert (code, output) == (1, [])
    assert error.startswith("foldstream schema: The event store at 127.0.0.1:1 can't be used: ")
