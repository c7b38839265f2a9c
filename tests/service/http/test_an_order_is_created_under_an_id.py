"""Creating orders over HTTP."""

from uuid import UUID, uuid4

import httpx

from tests.service.http.shop import LAMP, SHADE, assert_changed, assert_refused, new_order, order_form


def test_an_order_is_created_under_the_id_that_it_brings(http: httpx.Client) -> None:
    order_id = str(uuid4())
    answer = http.post("/orders", json=order_form(id=order_id))
    assert_changed(answer, 201, order_id, 0)
    assert answer.headers["Location"] == f"/orders/{order_id}"


def test_an_order_without_an_id_gets_one(http: httpx.Client) -> None:
    answer = http.post("/orders", json=order_form())
    order_id = str(UUID(answer.json()["id"]))
    assert_changed(answer, 201, order_id, 0)
    assert answer.headers["Location"] == f"/orders/{order_id}"


def test_ids_are_kept_in_lower_case(http: httpx.Client) -> None:
    order_id = str(uuid4())
    assert_changed(http.post("/orders", json=order_form(id=order_id.upper())), 201, order_id, 0)
    assert_changed(http.post(f"/orders/{order_id.upper()}/items", json=SHADE), 200, order_id, 1, line=2)


def test_an_id_that_is_taken_is_refused(http: httpx.Client) -> None:
    order_id = new_order(http)
    answer = http.post("/orders", json=order_form(id=order_id))
    assert_refused(answer, 409, "order-exists", f"There is an order {order_id} already.")


def test_an_order_of_a_hundred_lines_is_created(http: httpx.Client) -> None:
    order_id = str(uuid4())
    assert_changed(http.post("/orders", json=order_form(id=order_id, items=[LAMP] * 100)), 201, order_id, 0)


def test_two_requests_without_a_key_create_two_orders(http: httpx.Client) -> None:
    form = order_form()
    first, second = http.post("/orders", json=form), http.post("/orders", json=form)
    assert first.json()["id"] != second.json()["id"]
