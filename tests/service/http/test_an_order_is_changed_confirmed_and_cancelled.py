"""Lines added and removed, orders confirmed and cancelled over HTTP."""

from uuid import uuid4

import httpx
import pytest

from tests.service.http.shop import (
    LAMP,
    SHADE,
    assert_changed,
    assert_malformed,
    assert_refused,
    done,
    new_account,
    new_order,
    new_stock,
    read,
)


def test_a_line_is_added_under_the_next_number(http: httpx.Client) -> None:
    order_id = new_order(http)
    assert_changed(http.post(f"/orders/{order_id}/items", json=SHADE), 200, order_id, 1, line=2)


def test_the_number_of_a_removed_line_is_not_used_again(http: httpx.Client) -> None:
    order_id = new_order(http, items=[LAMP, SHADE])
    assert_changed(http.delete(f"/orders/{order_id}/items/2"), 200, order_id, 1)
    assert_changed(http.post(f"/orders/{order_id}/items", json=SHADE), 200, order_id, 2, line=3)


def test_a_line_that_is_not_there_can_t_be_removed(http: httpx.Client) -> None:
    order_id = new_order(http)
    answer = http.delete(f"/orders/{order_id}/items/2")
    assert_refused(answer, 404, "no-such-line", f"Order {order_id} has no line 2.")


def test_more_than_a_hundred_lines_are_refused(http: httpx.Client) -> None:
    order_id = new_order(http, items=[LAMP] * 100)
    answer = http.post(f"/orders/{order_id}/items", json=LAMP)
    assert_refused(answer, 409, "too-many-items", "An order has at most 100 lines.")


def test_a_price_is_in_the_order_s_currency(http: httpx.Client) -> None:
    order_id = new_order(http, currency="JPY", items=[{**LAMP, "unit_price": "1990"}])
    reason = "19.90 is no amount of JPY: it has 0 decimals."
    assert_malformed(http.post(f"/orders/{order_id}/items", json=LAMP), ("/unit_price", reason))


def test_an_order_is_confirmed_once(http: httpx.Client) -> None:
    sku = new_stock(http, 2)
    order_id = new_order(http, account_id=new_account(http, "100.00"), items=[{**LAMP, "sku": sku}])
    assert_changed(http.post(f"/orders/{order_id}/confirm"), 200, order_id, 1)


def test_an_order_without_items_is_not_confirmed(http: httpx.Client) -> None:
    order_id = new_order(http)
    done(http.delete(f"/orders/{order_id}/items/1"))
    answer = http.post(f"/orders/{order_id}/confirm")
    assert_refused(answer, 409, "no-items", f"Order {order_id} has no items to confirm.")


def test_a_pending_order_is_cancelled_at_once(http: httpx.Client) -> None:
    order_id = new_order(http)
    assert_changed(http.post(f"/orders/{order_id}/cancel"), 200, order_id, 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [(None, "cancelled-by-customer"), ({}, "cancelled-by-customer"), ({"reason": "Zu spät 🚲"}, "Zu spät 🚲")],
)
def test_the_reason_is_the_customer_s(http: httpx.Client, body: dict[str, str] | None, reason: str) -> None:
    order_id = new_order(http)
    cancelled = http.post(f"/orders/{order_id}/cancel", json=body)
    assert read(http, f"/orders/{order_id}", cancelled)["reason"] == reason


def test_cancelling_again_changes_nothing(http: httpx.Client) -> None:
    order_id = new_order(http)
    first = http.post(f"/orders/{order_id}/cancel", json={"reason": "too dear"})
    again = http.post(f"/orders/{order_id}/cancel")
    assert_changed(again, 200, order_id, 1)
    assert again.json() == first.json()


@pytest.mark.parametrize(("method", "path"), [("POST", "items"), ("POST", "confirm"), ("DELETE", "items/1")])
def test_a_cancelled_order_is_not_changed(http: httpx.Client, method: str, path: str) -> None:
    order_id = new_order(http)
    done(http.post(f"/orders/{order_id}/cancel"))
    answer = http.request(method, f"/orders/{order_id}/{path}", json=SHADE if path == "items" else None)
    assert_refused(answer, 409, "order-not-pending", f"Order {order_id} is cancelled.")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "items"), ("POST", "confirm"), ("POST", "cancel"), ("DELETE", "items/1")]
)
def test_an_order_that_does_not_exist_is_unknown(http: httpx.Client, method: str, path: str) -> None:
    order_id = str(uuid4())
    answer = http.request(method, f"/orders/{order_id}/{path}", json=SHADE if path == "items" else None)
    assert_refused(answer, 404, "unknown-order", f"There is no order {order_id}.")
