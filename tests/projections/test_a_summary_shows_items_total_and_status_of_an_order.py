"""The order summary: what was ordered, what it comes to, how far it is."""

from typing import Any, Final

from domain.ordering.events import ItemAdded, ItemRemoved, Line, OrderCancelled, ShipmentDeclined
from domain.value import changed
from projections.order_summary import OrderSummary, projection
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, LAMP, REQUESTED, SHIPPED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.log import at
from tests.support.projection_spec import SpecOf

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


def test_a_created_order_is_pending(spec: SpecOf) -> None:
    spec(projection).given(CREATED).then(FRESH)


def test_an_added_item_counts(spec: SpecOf) -> None:
    spec(projection).given(CREATED, ItemAdded(order_id=ORDER, line=RUG)).then(
        summary(1, items=(LAMP, DESK, RUG), item_count=6, total=money("312.30"))
    )


def test_a_removed_item_counts_no_longer(spec: SpecOf) -> None:
    one_left = spec(projection).given(CREATED, ItemRemoved(order_id=ORDER, line=1))
    one_left.then(summary(1, items=(DESK,), item_count=1, total=money("250.00")))
    none_left = one_left.given(ItemRemoved(order_id=ORDER, line=2))
    none_left.then(summary(2, items=(), item_count=0, total=money("0.00")))


def test_a_confirmed_order_is_shipped(spec: SpecOf) -> None:
    confirmed = spec(projection).given(CREATED, CONFIRMED)
    confirmed.then(summary(1, status="confirmed"))
    confirmed.given(SHIPPED).then(summary(2, status="shipped"))


def test_a_wish_to_cancel_and_a_declined_shipment_show_in_the_version_only(spec: SpecOf) -> None:
    asked = spec(projection).given(CREATED, CONFIRMED, REQUESTED)
    asked.then(summary(2, status="confirmed"))
    asked.given(ShipmentDeclined(order_id=ORDER, reason="too late")).then(summary(3, status="confirmed"))


def test_a_cancelled_order_says_why(spec: SpecOf) -> None:
    spec(projection).given(CREATED, CANCELLED).then(summary(1, status="cancelled", reason="changed my mind"))


def test_a_stream_of_declined_requests_has_no_row(spec: SpecOf) -> None:
    declined = ShipmentDeclined(order_id=ORDER, reason="unknown-order")
    spec(projection).given(declined, OrderCancelled(order_id=ORDER, reason="unknown-order")).then(None)
