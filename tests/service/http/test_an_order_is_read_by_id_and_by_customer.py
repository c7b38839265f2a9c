"""Orders read over HTTP, by id and by customer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.service.http.shop import LAMP, SHADE, assert_refused, new_name, order_form, read


def test_an_order_is_read_as_it_was_created(http: httpx.Client) -> None:
    form = order_form(items=[LAMP, SHADE])
    created = http.post("/orders", json=form)
    order_id = created.json()["id"]
    order = read(http, f"/orders/{order_id}", created)
    assert order == {
        "id": order_id,
        "customer_id": form["customer_id"],
        "account_id": form["account_id"],
        "status": "pending",
        "currency": "EUR",
        "total": "44.80",
        "items": [{"line": 1, **LAMP}, {"line": 2, **SHADE}],
        "item_count": 3,
        "reason": None,
        "created_at": _created_at(http, order_id),
        "updated_at": _created_at(http, order_id),
        "version": 0,
    }


def test_times_are_those_of_the_server_in_utc(http: httpx.Client) -> None:
    created = http.post("/orders", json=order_form())
    created_at = read(http, f"/orders/{created.json()['id']}", created)["created_at"]
    assert created_at.endswith("Z")
    assert abs(datetime.fromisoformat(created_at) - datetime.now(UTC)) < timedelta(minutes=1)


def test_totals_are_exact_and_never_in_scientific_notation(http: httpx.Client) -> None:
    dear = {"sku": "crown", "quantity": 1_000_000, "unit_price": "999999999999.99"}
    created = http.post("/orders", json=order_form(items=[dear] * 100))
    assert read(http, f"/orders/{created.json()['id']}", created)["total"] == "99999999999999000000.00"


def test_what_costs_nothing_is_written_with_the_currency_s_decimals(http: httpx.Client) -> None:
    free = {"sku": "leaflet", "quantity": 3, "unit_price": "0"}
    created = http.post("/orders", json=order_form(currency="JPY", items=[free]))
    order = read(http, f"/orders/{created.json()['id']}", created)
    assert (order["total"], order["items"][0]["unit_price"]) == ("0", "0")


def test_an_answer_has_the_version_as_its_etag(http: httpx.Client) -> None:
    created = http.post("/orders", json=order_form())
    path, position = f"/orders/{created.json()['id']}", created.headers["Foldstream-Position"]
    assert http.get(path, params={"at_least": position, "wait": 30}).headers["ETag"] == '"0"'


def test_an_order_that_does_not_exist_is_unknown(http: httpx.Client) -> None:
    order_id = str(uuid4())
    assert_refused(http.get(f"/orders/{order_id}"), 404, "unknown-order", f"There is no order {order_id}.")


def test_a_customer_without_orders_has_an_empty_list(http: httpx.Client) -> None:
    answer = http.get(f"/customers/{new_name('nobody')}/orders")
    assert (answer.status_code, answer.json()) == (200, {"orders": [], "next": None})


def test_a_customer_s_orders_come_newest_first(http: httpx.Client) -> None:
    customer = new_name("ada")
    older, newer = (http.post("/orders", json=order_form(customer_id=customer)) for _ in range(2))
    orders = read(http, f"/customers/{customer}/orders", newer)
    assert orders == {
        "orders": [_listed(http, newer), _listed(http, older)],
        "next": None,
    }


def test_a_long_list_is_read_in_parts_without_gaps(http: httpx.Client) -> None:
    customer = new_name("ada")
    created = [http.post("/orders", json=order_form(customer_id=customer)) for _ in range(5)]
    path = f"/customers/{customer}/orders"
    parts = [read(http, path, created[-1], limit=2)]
    while parts[-1]["next"] is not None:
        parts.append(read(http, path, created[-1], limit=2, cursor=parts[-1]["next"]))
    ids = [[order["id"] for order in part["orders"]] for part in parts]
    newest_first = [answer.json()["id"] for answer in reversed(created)]
    assert ids == [newest_first[:2], newest_first[2:4], newest_first[4:]]


def test_orders_of_one_status_are_listed_alone(http: httpx.Client) -> None:
    customer = new_name("ada")
    kept, dropped = (http.post("/orders", json=order_form(customer_id=customer)) for _ in range(2))
    cancelled = http.post(f"/orders/{dropped.json()['id']}/cancel")
    listed = {
        status: [
            order["id"] for order in read(http, f"/customers/{customer}/orders", cancelled, status=status)["orders"]
        ]
        for status in ("pending", "confirmed", "shipped", "cancelled")
    }
    assert listed == {
        "pending": [kept.json()["id"]],
        "confirmed": [],
        "shipped": [],
        "cancelled": [dropped.json()["id"]],
    }


def _created_at(http: httpx.Client, order_id: str) -> str:
    """When the server wrote the first event of the order."""
    return str(http.get(f"/history/order-{order_id}").json()["events"][0]["at"])


def _listed(http: httpx.Client, created: httpx.Response) -> dict[str, Any]:
    return {
        "id": created.json()["id"],
        "status": "pending",
        "total": "39.80",
        "currency": "EUR",
        "item_count": 2,
        "created_at": _created_at(http, created.json()["id"]),
    }
