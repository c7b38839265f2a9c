"""The orders of a customer: one entry in the whole list and one in that of the order's status."""

from typing import Any, Final

import pytest

from domain.message import Event
from domain.ordering.events import ItemAdded, ItemRemoved, Line, ShipmentDeclined
from domain.value import changed
from projections.listed_order import ListedOrder
from projections.orders_by_customer import of_customer, of_customer_in, projection
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, LAMP, REQUESTED, SHIPPED
from tests.domain.values import ORDER, money, numbered
from tests.support.log import at, position
from tests.support.projection_spec import Members, SpecOf

RUG: Final = Line(line=3, sku="rug", quantity=3, unit_price=money("7.50"))
FRESH: Final = ListedOrder(
    id=ORDER,
    customer_id="ada",
    status="pending",
    currency="EUR",
    total=money("289.80"),
    item_count=3,
    created_at=at(0),
    created_position=position(0),
    lines=(LAMP, DESK),
)
AT_ITS_PLACE: Final = {ORDER: position(0)}


def order(**members: Any) -> ListedOrder:
    return changed(FRESH, **members)


def entries(status: str) -> Members:
    return {"customer:ada": AT_ITS_PLACE, f"status:{status}:ada": AT_ITS_PLACE}


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), "pending"),
        ((CONFIRMED,), "confirmed"),
        ((CONFIRMED, REQUESTED, ShipmentDeclined(order_id=ORDER, reason="too late")), "confirmed"),
        ((CONFIRMED, SHIPPED), "shipped"),
        ((CANCELLED,), "cancelled"),
    ],
)
def test_it_moves_to_the_list_of_its_status(spec: SpecOf, events: tuple[Event, ...], status: str) -> None:
    spec(projection).given(CREATED, *events).then(order(status=status), entries=entries(status))


def test_items_that_come_and_go_change_the_total_but_not_the_place(spec: SpecOf) -> None:
    spec(projection).given(CREATED, ItemAdded(order_id=ORDER, line=RUG), ItemRemoved(order_id=ORDER, line=2)).then(
        order(lines=(LAMP, RUG), item_count=5, total=money("62.30")), entries=entries("pending")
    )


def test_a_stream_of_declined_requests_is_not_listed(spec: SpecOf) -> None:
    spec(projection).given(ShipmentDeclined(order_id=ORDER, reason="unknown-order"), CANCELLED).then(None)


def test_orders_of_one_customer_stand_in_one_list(spec: SpecOf) -> None:
    other = numbered(2)
    both = spec(projection).given(CREATED).given(changed(CREATED, order_id=other), CANCELLED, of="2")
    both.then(
        FRESH,
        order(id=other, status="cancelled", created_at=at(1), created_position=position(1)),
        entries={
            "customer:ada": {ORDER: position(0), other: position(1)},
            "status:pending:ada": {ORDER: position(0)},
            "status:cancelled:ada": {other: position(1)},
        },
    )


def test_the_lists_are_named_by_customer_and_status() -> None:
    assert of_customer("ada") == "customer:ada"
    assert of_customer_in("shipped", "ada") == "status:shipped:ada"
    assert of_customer("pending:ada") != of_customer_in("pending", "ada")
