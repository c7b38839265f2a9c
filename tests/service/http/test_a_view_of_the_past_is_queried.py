"""Queries take `?view=`: they are answered as of the view's position, whatever has happened since."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infrastructure.views.definition import Span, ViewDefinition
from infrastructure.views.partition_build import build_partitions
from infrastructure.views.view_build import ViewRequest, build_view
from projections import (
    account_balance,
    account_statement,
    all_orders,
    order_summary,
    orders_by_customer,
    orders_by_status,
    stock_levels,
)
from projections.projection import Projection
from service.settings import Settings
from service.workers.projections import deployment_of
from tests.service.http.shop import (
    assert_malformed,
    assert_refused,
    done,
    new_account,
    new_name,
    new_order,
    new_stock,
    order_form,
    read,
)
from tests.support.positions import number_of

MakeView = Callable[..., ViewDefinition]


@pytest.fixture
def make_view(eventstore_uri: str, redis_uri: str, namespace: str) -> MakeView:
    """Makes a view of a projection, up to the position that an answer tells."""
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace)

    def make(projection: Projection[Any], name: str, token: str) -> ViewDefinition:
        deployment = deployment_of(settings)
        request = ViewRequest(name, Span(to_position=number_of(token)), 3_600_000, "cli:ann")
        build = partial(build_partitions, deployment, projection)
        return build_view(deployment, projection, request, lambda view, wait: build(view, range(view.partitions)))

    return make


def test_one_thing_is_read_as_it_was(http: httpx.Client, make_view: MakeView) -> None:
    sku = new_name("lamp")
    received = done(http.post(f"/stock/{sku}/receipts", json={"quantity": 3}))
    name = uuid4().hex
    make_view(stock_levels.projection, name, received["position"])
    later = http.post(f"/stock/{sku}/receipts", json={"quantity": 4})
    assert read(http, f"/stock/{sku}", later)["on_hand"] == 7
    answer = http.get(f"/stock/{sku}", params={"view": name})
    assert (answer.json()["on_hand"], answer.json()["version"], answer.headers["ETag"]) == (3, 1, '"1"')
    assert number_of(answer.headers["Foldstream-Position"]) == number_of(received["position"])
    unchanged = http.get(f"/stock/{sku}", params={"view": name}, headers={"If-None-Match": '"1"'})
    assert unchanged.status_code == 304


def test_what_came_later_is_unknown_to_it(http: httpx.Client, make_view: MakeView) -> None:
    early = done(http.post(f"/stock/{new_name('lamp')}/receipts", json={"quantity": 1}))["position"]
    name, sku, account_id, order_id = uuid4().hex, new_stock(http, 1), new_account(http), new_order(http)
    for projection in (stock_levels, account_balance, account_statement, order_summary):
        make_view(projection.projection, name, early)
    for path, rule in (
        (f"/stock/{sku}", "unknown-sku"),
        (f"/accounts/{account_id}", "unknown-account"),
        (f"/accounts/{account_id}/statement", "unknown-account"),
        (f"/orders/{order_id}", "unknown-order"),
    ):
        answer = http.get(path, params={"view": name})
        assert (answer.status_code, answer.json()["rule"]) == (404, rule)


def test_lists_are_read_as_they_were(http: httpx.Client, make_view: MakeView) -> None:
    customer_id = new_name("ada")
    first, second = (new_order(http, customer_id=customer_id) for _ in range(2))
    confirmed = http.post(f"/orders/{second}/cancel")
    name, path = uuid4().hex, f"/customers/{customer_id}/orders"
    make_view(orders_by_customer.projection, name, confirmed.json()["position"])
    third = new_order(http, customer_id=customer_id)
    last = http.post(f"/orders/{first}/cancel")
    assert [each["id"] for each in read(http, path, last)["orders"]] == [third, second, first]
    seen = http.get(path, params={"view": name}).json()["orders"]
    assert [(each["id"], each["status"]) for each in seen] == [(second, "cancelled"), (first, "pending")]
    part = http.get(path, params={"view": name, "limit": 1}).json()
    rest = http.get(path, params={"view": name, "limit": 1, "cursor": part["next"]}).json()
    assert [part["orders"][0]["id"], rest["orders"][0]["id"], rest["next"]] == [second, first, None]
    cancelled = http.get(path, params={"view": name, "status": "cancelled"}).json()["orders"]
    assert [each["id"] for each in cancelled] == [second]


def test_a_statement_is_read_as_it_was(http: httpx.Client, make_view: MakeView) -> None:
    account_id = new_account(http)
    path = f"/accounts/{account_id}/statement"
    paid = [http.post(f"/accounts/{account_id}/deposits", json={"amount": f"{n}.00"}) for n in (1, 2, 3)]
    name = uuid4().hex
    make_view(account_statement.projection, name, paid[1].json()["position"])
    assert [each["balance"] for each in read(http, path, paid[2])["entries"]] == ["6.00", "3.00", "1.00"]
    entries = http.get(path, params={"view": name}).json()["entries"]
    assert [each["balance"] for each in entries] == ["3.00", "1.00"]


def test_a_report_is_told_as_it_was(http: httpx.Client, make_view: MakeView) -> None:
    order_id, name = new_order(http), uuid4().hex
    cancelled = http.post(f"/orders/{order_id}/cancel")
    make_view(orders_by_status.projection, name, cancelled.json()["position"])
    path = "/dashboard/orders-by-status"
    before = http.get(path, params={"view": name})
    later = http.post("/orders", json=order_form())
    assert sum(read(http, path, later).values()) > sum(before.json().values())
    again = http.get(path, params={"view": name})
    assert again.json() == before.json()
    assert number_of(again.headers["Foldstream-Position"]) == number_of(cancelled.json()["position"])
    assert before.json()["cancelled"] > 0
    assert_refused(
        http.get("/dashboard", params={"view": name}),
        404,
        "unknown-view",
        f"There is no view {name} of revenue_by_day.",
    )


def test_a_list_of_all_is_read_as_it_was(http: httpx.Client, make_view: MakeView) -> None:
    first, second = (new_order(http) for _ in range(2))
    confirmed, name = http.post(f"/orders/{second}/cancel"), uuid4().hex
    make_view(all_orders.projection, name, confirmed.json()["position"])
    third = new_order(http)
    last = http.post(f"/orders/{first}/cancel")
    assert [each["id"] for each in read(http, "/orders", last, limit="3")["orders"]] == [third, second, first]
    part = http.get("/orders", params={"view": name, "limit": 1}).json()
    rest = http.get("/orders", params={"view": name, "limit": 1, "cursor": part["next"]}).json()
    seen = [*part["orders"], *rest["orders"]]
    assert [(each["id"], each["status"]) for each in seen] == [(second, "cancelled"), (first, "pending")]


def test_it_never_comes_to_a_later_position_and_is_not_waited_for(http: httpx.Client, make_view: MakeView) -> None:
    sku, name = new_name("lamp"), uuid4().hex
    received = done(http.post(f"/stock/{sku}/receipts", json={"quantity": 3}))["position"]
    later = done(http.post(f"/stock/{sku}/receipts", json={"quantity": 3}))["position"]
    make_view(stock_levels.projection, name, received)
    asked = {"view": name, "at_least": received, "wait": "30"}
    assert http.get(f"/stock/{sku}", params=asked).json()["on_hand"] == 3
    answer = http.get(f"/stock/{sku}", params={**asked, "at_least": later})
    detail = f"The view {name} of stock_levels ends before that position, and never comes further."
    _, position, _, store = received.split(".")
    at = f"1.{position}.00000000.{store}"
    assert_refused(answer, 422, "view-is-past", detail, position=at, at_least=later)


def test_a_token_of_another_store_is_foreign_to_it(http: httpx.Client, make_view: MakeView) -> None:
    received = done(http.post(f"/stock/{new_name('lamp')}/receipts", json={"quantity": 3}))["position"]
    name = uuid4().hex
    make_view(stock_levels.projection, name, received)
    answer = http.get("/stock/lamp", params={"view": name, "at_least": f"{received[:-8]}00000000"})
    assert (answer.status_code, answer.json()["rule"]) == (422, "foreign-position")


def test_of_another_read_model_or_name_there_is_none(http: httpx.Client, make_view: MakeView) -> None:
    received = done(http.post(f"/stock/{new_name('lamp')}/receipts", json={"quantity": 3}))["position"]
    name = uuid4().hex
    make_view(stock_levels.projection, name, received)
    answer = http.get(f"/accounts/{uuid4()}", params={"view": name})
    assert_refused(answer, 404, "unknown-view", f"There is no view {name} of account_balance.")
    answer = http.get("/stock/lamp", params={"view": "none"})
    assert_refused(answer, 404, "unknown-view", "There is no view none of stock_levels.")


@pytest.mark.parametrize("name", ["", "Upper", "with space", "x" * 33, "ä", "a/b", "a\n"])
def test_a_name_of_another_form_is_malformed(http: httpx.Client, name: str) -> None:
    answer = http.get("/stock/lamp", params={"view": name})
    assert_malformed(answer, ("?view", "should be the name of a view: 1 to 32 characters of a-z, 0-9 and -"))
