"""The lists over all customers: orders, accounts and stock, by what their read models declare."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.service.http.shop import (
    LAMP,
    assert_malformed,
    new_account,
    new_name,
    new_order,
    new_stock,
    order_form,
    read,
)

UNKNOWN = "is none of those that this service gives out"


def parts(http: httpx.Client, path: str, after: httpx.Response, **parameters: Any) -> Iterator[dict[str, Any]]:
    """All parts of the list, each from where the one before ended."""
    part = read(http, path, after, **parameters)
    yield part
    while part["next"] is not None:
        part = read(http, path, after, **parameters, cursor=part["next"])
        yield part


def whole(http: httpx.Client, path: str, after: httpx.Response, **parameters: Any) -> list[dict[str, Any]]:
    """Everything that is listed there, of which every part but the last is full."""
    name, limit = path[1:], parameters.get("limit", 20)
    found = [part[name] for part in parts(http, path, after, **parameters)]
    assert [len(part) for part in found[:-1]] == [limit] * (len(found) - 1)
    return [item for part in found for item in part]


def create(http: httpx.Client, **members: Any) -> httpx.Response:
    return http.post("/orders", json=order_form(**members))


def of(customer: str, orders: list[dict[str, Any]]) -> list[str]:
    return [order["id"] for order in orders if order["customer_id"] == customer]


def test_an_order_is_listed_among_all_newest_first(http: httpx.Client) -> None:
    customer = new_name("ada")
    created = [create(http, customer_id=customer) for _ in range(5)]
    ids = [answer.json()["id"] for answer in created]
    one = read(http, f"/orders/{ids[0]}", created[-1])
    orders = whole(http, "/orders", created[-1], limit=2, **{"from": one["created_at"]})
    assert of(customer, orders) == ids[::-1]
    assert len({order["id"] for order in orders}) == len(orders)
    assert all(newer["created_at"] >= older["created_at"] for newer, older in pairwise(orders))
    assert orders[-1] == {
        "id": ids[0],
        "customer_id": customer,
        "status": "pending",
        "total": "39.80",
        "currency": "EUR",
        "item_count": 2,
        "created_at": one["created_at"],
    }


def test_orders_are_found_by_status_and_currency(http: httpx.Client) -> None:
    customer = new_name("ada")
    yen = [{**LAMP, "unit_price": "20"}]
    kept, other = create(http, customer_id=customer), create(http, customer_id=customer, currency="JPY", items=yen)
    dropped = create(http, customer_id=customer)
    last = http.post(f"/orders/{dropped.json()['id']}/cancel")
    [a, b, c] = [answer.json()["id"] for answer in (kept, other, dropped)]
    since = read(http, f"/orders/{a}", last)["created_at"]

    def found(**filters: str) -> list[str]:
        return of(customer, whole(http, "/orders", last, limit=100, **{"from": since, **filters}))

    assert found() == [c, b, a]
    assert found(status="pending") == [b, a]
    assert found(status="cancelled") == [c]
    assert found(status="shipped") == []
    assert found(currency="EUR") == [c, a]
    assert found(currency="EUR", status="pending") == [a]
    assert found(currency="JPY") == [b]


def test_orders_are_found_by_the_time_of_their_creation(http: httpx.Client) -> None:
    """To the microsecond: the first is included, the end is not. Any offset from UTC does."""
    customer = new_name("ada")
    created = [create(http, customer_id=customer) for _ in range(3)]
    ids = [answer.json()["id"] for answer in created]
    times = [read(http, f"/orders/{each}", created[-1])["created_at"] for each in ids]
    elsewhere = (datetime.fromisoformat(times[2]) + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00")

    def found(**filters: str) -> list[str]:
        return of(customer, whole(http, "/orders", created[-1], **filters))

    assert found(**{"from": times[1]}) == [ids[2], ids[1]]
    assert found(**{"from": times[0], "to": times[2]}) == [ids[1], ids[0]]
    assert found(**{"from": times[1], "to": elsewhere}) == [ids[1]]
    assert found(**{"from": times[1], "to": times[1]}) == []
    assert found(**{"from": times[2], "to": times[0]}) == []


def test_a_list_is_complete_while_its_orders_change_their_status(http: httpx.Client) -> None:
    customer = new_name("ada")
    created = [create(http, customer_id=customer) for _ in range(6)]
    ids = [answer.json()["id"] for answer in created]
    since = read(http, f"/orders/{ids[0]}", created[-1])["created_at"]
    seen: list[str] = []
    for part in parts(http, "/orders", created[-1], limit=2, **{"from": since}):
        seen += of(customer, part["orders"])
        http.post(f"/orders/{seen[-1] if seen else ids[0]}/cancel")
        create(http, customer_id=customer)
    assert seen == ids[::-1]


def test_accounts_are_listed_by_owner_newest_first(http: httpx.Client) -> None:
    owner = new_name("ada")
    ids = [new_account(http, owner_id=owner) for _ in range(3)]
    paid = http.post(f"/accounts/{ids[0]}/deposits", json={"amount": "12.50"})
    accounts = whole(http, "/accounts", paid, owner_id=owner, limit=2)
    assert [account["id"] for account in accounts] == ids[::-1]
    assert accounts[-1] == {
        "id": ids[0],
        "owner_id": owner,
        "currency": "EUR",
        "balance": "12.50",
        "credit_limit": "0.00",
    }
    everyone = read(http, "/accounts", paid, limit=100)["accounts"]
    assert [account["id"] for account in everyone if account["owner_id"] == owner] == ids[::-1]


def test_stock_is_listed_by_sku_or_by_what_is_available(http: httpx.Client) -> None:
    few, many, some = (new_stock(http, quantity) for quantity in (2, 30, 7))
    last = http.post(f"/stock/{some}/damages", json={"quantity": 1})

    def found(**parameters: Any) -> list[tuple[str, int]]:
        stock = whole(http, "/stock", last, **parameters)
        order = [(each["available"] if "below" in parameters else 0, each["sku"]) for each in stock]
        assert order == sorted(order)
        return [(each["sku"], each["available"]) for each in stock if each["sku"] in {few, many, some}]

    assert found(limit=3) == sorted([(few, 2), (many, 30), (some, 6)])
    assert found(below=30, limit=1) == [(few, 2), (some, 6)]
    assert found(below=6) == [(few, 2)]
    assert found(below=0) == []
    [shown] = [each for each in whole(http, "/stock", last) if each["sku"] == some]
    assert shown == {"sku": some, "on_hand": 6, "reserved": 0, "available": 6, "damaged": 1}


@pytest.mark.parametrize(
    ("path", "parameters", "pointer", "reason"),
    [
        ("/orders", {"status": "lost"}, "?status", "should be 'pending', 'confirmed', 'shipped' or 'cancelled'"),
        ("/orders", {"currency": "CHF"}, "?currency", "should be 'EUR', 'USD', 'GBP' or 'JPY'"),
        ("/orders", {"from_": "2026-01-01T00:00:00Z"}, "?from_", "is not known here"),
        ("/orders", {"cursor": "100"}, "?cursor", UNKNOWN),
        ("/orders", {"cursor": "\u00e9"}, "?cursor", UNKNOWN),
        ("/accounts", {"owner_id": "a b"}, "?owner_id", "should be 1 to 64 of A-Z a-z 0-9 . _ : -"),
        ("/stock", {"below": "-1"}, "?below", "should be a whole number from 0 on"),
        ("/stock", {"limit": "101"}, "?limit", "should be a whole number from 1 to 100"),
    ],
)
def test_what_is_no_filter_is_refused(
    http: httpx.Client, path: str, parameters: dict[str, str], pointer: str, reason: str
) -> None:
    assert_malformed(http.get(path, params=parameters), (pointer, reason))


def test_a_cursor_of_a_list_with_other_filters_is_refused(http: httpx.Client) -> None:
    new_order(http)
    last = create(http)
    cursor = read(http, "/orders", last, limit=1)["next"]
    refused = http.get("/orders", params={"cursor": cursor, "currency": "EUR"})
    assert_malformed(refused, ("?cursor", f"{UNKNOWN} for a list with these filters"))
