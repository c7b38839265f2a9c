"""Looking back over HTTP: what happened, how it stood at a time, what changed, and what caused what."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.stock.stock import stock_id
from infrastructure.eventstore.record import Record
from infrastructure.history.moment import written
from infrastructure.times import time_text
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.history.ledger import balance, told
from tests.service.http.shop import LAMP, new_account, new_stock, order_form
from tests.support.polling import poll_until
from tests.support.positions import number_of


@pytest.fixture(scope="module")
def store(eventstore_uri: str) -> Iterator[Operator]:
    with operating(eventstore_uri) as operator:
        yield operator


def events(*records: Record) -> list[dict[str, Any]]:
    """The records as a history tells them."""
    return [{**heading(record), "data": json.loads(record.data)} for record in records]


def heading(record: Record) -> dict[str, Any]:
    said = json.loads(record.metadata)
    return {
        "version": record.version,
        "position": str(record.position),
        "at": time_text(written(record)),
        "id": str(record.id),
        "type": record.type,
        "schema_version": said["schema_version"],
        "actor": said["actor"],
        "command_id": said["command_id"],
        "correlation_id": said["$correlationId"],
        "causation_id": said["$causationId"],
    }


def look(http: httpx.Client, path: str, **parameters: Any) -> Any:
    answer = http.get(f"/history/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pages(http: httpx.Client, path: str, **parameters: Any) -> Iterator[Any]:
    """All parts of a list."""
    page = look(http, path, **parameters)
    yield page
    while page["next"] is not None:
        page = look(http, path, cursor=page["next"], **parameters)
        yield page


def test_a_history_is_what_is_stored(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "100.00", "20.00")
    assert look(http, stream) == {"stream": stream, "events": events(*records), "next": None}


def test_it_is_told_in_parts(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "1.00", "2.00", "3.00")
    assert [page["events"] for page in pages(http, stream, limit=2)] == [events(*records[:2]), events(*records[2:])]
    assert [page["events"] for page in pages(http, stream, limit=3)] == [events(*records[:3]), events(*records[3:])]
    assert look(http, stream, cursor="4") == {"stream": stream, "events": [], "next": None}


def test_a_part_has_twenty_events_unless_asked(http: httpx.Client, store: Operator) -> None:
    stream, _ = told(store, *["1.00"] * 20)
    assert [len(page["events"]) for page in pages(http, stream)] == [20, 1]


def test_a_sku_is_found_by_its_name_and_an_id_in_any_case(http: httpx.Client) -> None:
    sku, account_id = new_stock(http, 3), new_account(http)
    assert look(http, f"stock:{sku}") == look(http, f"stock-{stock_id(sku)}")
    assert [event["type"] for event in look(http, f"stock:{sku}")["events"]] == ["SkuRegistered", "StockReceived"]
    assert look(http, f"account-{account_id.upper()}") == look(http, f"account-{account_id}")


def test_the_request_is_named_that_caused_it(http: httpx.Client) -> None:
    correlation = str(uuid4())
    created = http.post("/orders", json=order_form(), headers={"Foldstream-Correlation-Id": correlation})
    (event,) = look(http, f"order-{created.json()['id']}")["events"]
    assert event["actor"] == "tester"
    assert event["correlation_id"] == correlation
    assert event["causation_id"] == event["command_id"]
    assert int(event["position"]) == number_of(created.headers["Foldstream-Position"])


def test_the_state_as_of_a_time_or_a_version(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "100.00", "20.00")
    since, until = (time_text(written(record)) for record in records[1:])
    expected = {"stream": stream, "version": 1, "since": since, "until": until, "first_version": 0}
    expected |= {"state": balance("100.00")}
    assert look(http, f"{stream}/as-of", at=since) == expected
    assert look(http, f"{stream}/as-of", version=1) == expected
    just_before = time_text(written(records[2]) - timedelta(microseconds=1))
    assert look(http, f"{stream}/as-of", at=just_before) == expected


def test_the_state_as_it_is_now(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "100.00", "20.00")
    now = time_text(datetime.now(UTC) + timedelta(days=1))
    assert look(http, f"{stream}/as-of", at=now) == {
        "stream": stream,
        "version": 2,
        "since": time_text(written(records[2])),
        "until": None,
        "first_version": 0,
        "state": balance("120.00"),
    }


def test_a_state_that_lacks_what_was_truncated_says_so(http: httpx.Client, store: Operator) -> None:
    stream, _ = told(store, "100.00", "20.00")
    store.set_metadata(stream, {"$tb": 1})
    assert look(http, f"{stream}/as-of", version=2)["first_version"] == 1


def test_changes_say_who_and_each_field(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "100.00")
    deposit = json.loads(records[1].data)
    assert look(http, f"{stream}/changes", **{"from": time_text(written(records[1]))}) == {
        "stream": stream,
        "changes": [
            {
                **heading(records[1]),
                "caused_by": None,
                "events": [{"name": "MoneyDeposited", "data": deposit}],
                "fields": [{"field": "balance.amount", "before": "0.00", "after": "100.00"}],
                "before": balance("0.00"),
                "after": balance("100.00"),
            }
        ],
        "next": None,
    }


def test_changes_from_a_time_on_and_before_another(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "1.00", "2.00", "3.00")
    span = {"from": time_text(written(records[1])), "to": time_text(written(records[3]))}
    assert versions(look(http, f"{stream}/changes", **span)) == [1, 2]
    assert versions(look(http, f"{stream}/changes", to=span["to"])) == [0, 1, 2]
    assert look(http, f"{stream}/changes", to="2020-01-01T00:00:00Z") == {"stream": stream, "changes": [], "next": None}


def test_changes_in_parts_are_those_of_the_whole(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "1.00", "2.00", "3.00", "4.00", "5.00")
    whole = look(http, f"{stream}/changes")
    for limit in (1, 2, 3, 6):
        parts = list(pages(http, f"{stream}/changes", limit=limit))
        assert [change for part in parts for change in part["changes"]] == whole["changes"]
        assert len(parts) == -(-6 // limit)
    since = {"from": time_text(written(records[2]))}
    assert [versions(page) for page in pages(http, f"{stream}/changes", limit=3, **since)] == [[2, 3, 4], [5]]


def versions(page: Mapping[str, Any]) -> list[int]:
    return [change["version"] for change in page["changes"]]


def test_a_saga_is_traced_from_the_request_to_the_end(http: httpx.Client) -> None:
    sku, account_id, correlation = new_stock(http, 5), new_account(http, "100.00"), str(uuid4())
    began = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    created = http.post("/orders", json=order_form(account_id=account_id, items=[{**LAMP, "sku": sku}]))
    order_id = created.json()["id"]
    http.post(f"/orders/{order_id}/confirm", headers={"Foldstream-Correlation-Id": correlation})
    poll_until(lambda: _is_fulfilled(http, order_id), seconds=20, what="the end of the fulfilment")
    trace = look(http, f"trace/{correlation.upper()}", **{"from": began})
    assert (trace["correlation_id"], trace["complete"]) == (correlation, True)
    assert [event["type"] for event in trace["commands"][0]["events"]] == ["OrderConfirmed"]
    assert [trace["commands"][0][name] for name in ("actor", "depth", "caused_by")] == ["tester", 0, None]
    known = {event["id"]: command["depth"] for command in trace["commands"] for event in command["events"]}
    for command in trace["commands"][1:]:
        assert command["actor"] == "saga:fulfilment"
        assert command["depth"] == known[command["caused_by"]] + 1
    named = {"order": order_id, "fulfilment": order_id, "stock": stock_id(sku), "account": account_id}
    assert {command["stream"] for command in trace["commands"]} == {f"{kind}-{key}" for kind, key in named.items()}


def _is_fulfilled(http: httpx.Client, order_id: str) -> bool:
    answer = http.get(f"/history/fulfilment-{order_id}")
    return answer.status_code == 200 and answer.json()["events"][-1]["type"] == "FulfilmentCompleted"


def test_a_trace_goes_as_far_as_asked(http: httpx.Client, store: Operator) -> None:
    stream, records = told(store, "1.00")
    correlation = json.loads(records[1].metadata)["$correlationId"]
    said = json.loads(records[1].metadata)
    trace = look(http, f"trace/{correlation}", **{"from": time_text(written(records[1]))})
    searched = trace.pop("searched")
    assert trace == {
        "correlation_id": correlation,
        "source": "system projection" if searched is None else "search",
        "complete": True,
        "next": None,
        "commands": [
            {
                "command_id": said["command_id"],
                "causation_id": said["$causationId"],
                "actor": "harbour",
                "stream": stream,
                "depth": 0,
                "caused_by": None,
                "events": events(records[1]),
            }
        ],
    }
