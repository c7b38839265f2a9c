"""The orders of a customer: one entry in the whole list and one in that of the order's status."""

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import to_json

from domain.message import Event
from domain.ordering.events import ItemAdded, ItemRemoved, Line, ShipmentDeclined
from domain.value import changed
from projections.listed_order import ListedOrder
from projections.orders_by_customer import of_customer, of_customer_in, projection
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, LAMP, REQUESTED, SHIPPED
from tests.domain.values import ORDER, money
from tests.projections.history import at, index_after, position, row_after

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


def after(*events: Event) -> ListedOrder | None:
    return row_after(projection, *events)


def test_a_created_order_is_listed_as_pending() -> None:
    assert after(CREATED) == FRESH
    assert index_after(projection, CREATED) == {"customer:ada": AT_ITS_PLACE, "status:pending:ada": AT_ITS_PLACE}


def test_items_that_come_and_go_change_the_total_but_not_the_place() -> None:
    events = (CREATED, ItemAdded(order_id=ORDER, line=RUG), ItemRemoved(order_id=ORDER, line=2))
    assert after(*events) == order(lines=(LAMP, RUG), item_count=5, total=money("62.30"))
    assert index_after(projection, *events) == index_after(projection, CREATED)


def test_a_confirmed_order_moves_to_the_confirmed_ones() -> None:
    assert after(CREATED, CONFIRMED) == order(status="confirmed")
    assert index_after(projection, CREATED, CONFIRMED) == {
        "customer:ada": AT_ITS_PLACE,
        "status:confirmed:ada": AT_ITS_PLACE,
    }


def test_a_shipped_order_moves_to_the_shipped_ones() -> None:
    assert after(CREATED, CONFIRMED, SHIPPED) == order(status="shipped")
    assert index_after(projection, CREATED, CONFIRMED, SHIPPED) == {
        "customer:ada": AT_ITS_PLACE,
        "status:shipped:ada": AT_ITS_PLACE,
    }


def test_a_cancelled_order_moves_to_the_cancelled_ones() -> None:
    assert after(CREATED, CANCELLED) == order(status="cancelled")
    assert index_after(projection, CREATED, CANCELLED) == {
        "customer:ada": AT_ITS_PLACE,
        "status:cancelled:ada": AT_ITS_PLACE,
    }


def test_a_wish_to_cancel_changes_nothing_here() -> None:
    declined = ShipmentDeclined(order_id=ORDER, reason="too late")
    assert after(CREATED, CONFIRMED, REQUESTED, declined) == order(status="confirmed")


def test_a_stream_of_declined_requests_is_not_listed() -> None:
    assert after(ShipmentDeclined(order_id=ORDER, reason="unknown-order"), CANCELLED) is None
    assert index_after(projection, CANCELLED) == {}


def test_the_lists_are_named_by_customer_and_status() -> None:
    assert of_customer("ada") == "customer:ada"
    assert of_customer_in("shipped", "ada") == "status:shipped:ada"
    assert of_customer("pending:ada") != of_customer_in("pending", "ada")


def test_a_row_survives_its_storage() -> None:
    assert TypeAdapter(ListedOrder).validate_json(to_json(FRESH)) == FRESH
