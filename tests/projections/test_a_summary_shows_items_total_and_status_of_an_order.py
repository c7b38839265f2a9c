"""The order summary: what was ordered, what it comes to, how far it is."""

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import to_json

from domain.message import Event
from domain.ordering.events import ItemAdded, ItemRemoved, Line, OrderCancelled, ShipmentDeclined
from domain.value import changed
from projections.order_summary import OrderSummary, projection
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, LAMP, REQUESTED, SHIPPED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.projections.history import at, index_after, row_after

RUG: Final = Line(line=3, sku="rug", quantity=3, unit_price=money("7.50"))
FRESH: Final = OrderSummary(
    id=ORDER,
    customer_id="ada",
    account_id=ACCOUNT,
    status="pending",
    currency="EUR",
    total=money("289.80"),
    items=(LAMP, DESK),
    item_count=3,
    reason=None,
    created_at=at(0),
    updated_at=at(0),
    version=0,
)


def summary(version: int, **members: Any) -> OrderSummary:
    """The summary of the order as it was created, but for these members, after the event with this version."""
    return changed(FRESH, **members, version=version, updated_at=at(version))


def after(*events: Event) -> OrderSummary | None:
    return row_after(projection, *events)


def test_a_created_order_is_pending() -> None:
    assert after(CREATED) == FRESH


def test_an_added_item_counts() -> None:
    assert after(CREATED, ItemAdded(order_id=ORDER, line=RUG)) == summary(
        1, items=(LAMP, DESK, RUG), item_count=6, total=money("312.30")
    )


def test_a_removed_item_counts_no_longer() -> None:
    removed = ItemRemoved(order_id=ORDER, line=1)
    assert after(CREATED, removed) == summary(1, items=(DESK,), item_count=1, total=money("250.00"))


def test_an_order_without_items_comes_to_nothing() -> None:
    removed = [ItemRemoved(order_id=ORDER, line=line) for line in (1, 2)]
    assert after(CREATED, *removed) == summary(2, items=(), item_count=0, total=money("0.00"))


def test_a_confirmed_order_is_confirmed() -> None:
    assert after(CREATED, CONFIRMED) == summary(1, status="confirmed")


def test_a_wish_to_cancel_shows_in_the_version_only() -> None:
    assert after(CREATED, CONFIRMED, REQUESTED) == summary(2, status="confirmed")


def test_a_declined_shipment_shows_in_the_version_only() -> None:
    declined = ShipmentDeclined(order_id=ORDER, reason="too late")
    assert after(CREATED, CONFIRMED, REQUESTED, declined) == summary(3, status="confirmed")


def test_a_shipped_order_is_shipped() -> None:
    assert after(CREATED, CONFIRMED, SHIPPED) == summary(2, status="shipped")


def test_a_cancelled_order_says_why() -> None:
    assert after(CREATED, CANCELLED) == summary(1, status="cancelled", reason="changed my mind")


def test_a_stream_of_declined_requests_has_no_row() -> None:
    declined = ShipmentDeclined(order_id=ORDER, reason="unknown-order")
    assert after(declined, OrderCancelled(order_id=ORDER, reason="unknown-order")) is None


def test_it_is_read_by_key_only() -> None:
    assert index_after(projection, CREATED, CONFIRMED, SHIPPED) == {}


def test_a_row_survives_its_storage() -> None:
    row = summary(1, status="cancelled", reason="changed my mind")
    assert TypeAdapter(OrderSummary).validate_json(to_json(row)) == row
