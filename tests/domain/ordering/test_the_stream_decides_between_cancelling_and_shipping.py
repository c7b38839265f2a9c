"""The order's stream decides between cancelling and shipping, and the first cause it records is the reason."""

from typing import Final

from domain.ordering.events import CancellationRequested, OrderCancelled, ShipmentDeclined
from domain.ordering.order import CancelOrder, RequestCancellation, ShipOrder, decider
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, REQUESTED, SHIPPED
from tests.domain.values import ORDER
from tests.support.given import given

WISH: Final = RequestCancellation(order_id=ORDER, reason="changed my mind")
SHIP: Final = ShipOrder(order_id=ORDER)
CANCEL: Final = CancelOrder(order_id=ORDER, reason="out-of-stock")


def declined(reason: str) -> ShipmentDeclined:
    return ShipmentDeclined(order_id=ORDER, reason=reason)


def test_a_pending_order_is_cancelled_at_once() -> None:
    given(decider, CREATED).when(WISH).then(CANCELLED)


def test_without_words_the_reason_is_the_customer() -> None:
    given(decider, CREATED).when(RequestCancellation(order_id=ORDER)).then(
        OrderCancelled(order_id=ORDER, reason="cancelled-by-customer")
    )


def test_a_confirmed_order_records_the_wish() -> None:
    wish = CancellationRequested(order_id=ORDER, reason="changed my mind")
    given(decider, CREATED, CONFIRMED).when(WISH).then(wish)


def test_a_second_wish_changes_nothing() -> None:
    given(decider, CREATED, CONFIRMED, REQUESTED).when(WISH).then()


def test_a_cancelled_order_is_cancelled_already() -> None:
    given(decider, CREATED, CANCELLED).when(WISH).then()
    given(decider, CREATED, CANCELLED).when(CANCEL).then()


def test_a_shipped_order_is_not_cancelled() -> None:
    given(decider, CREATED, CONFIRMED, SHIPPED).when(WISH).refuses("order-already-shipped")
    given(decider, CREATED, CONFIRMED, SHIPPED).when(CANCEL).refuses("order-already-shipped")


def test_a_confirmed_order_ships_once() -> None:
    given(decider, CREATED, CONFIRMED).when(SHIP).then(SHIPPED)
    given(decider, CREATED, CONFIRMED, SHIPPED).when(SHIP).then()


def test_an_order_whose_customer_wants_out_declines_to_ship() -> None:
    given(decider, CREATED, CONFIRMED, REQUESTED).when(SHIP).then(declined("too late"), repeatable=True)


def test_an_order_that_is_not_confirmed_declines_to_ship() -> None:
    given(decider, CREATED).when(SHIP).then(declined("order-not-confirmed"), repeatable=True)
    given(decider, CREATED, CANCELLED).when(SHIP).then(declined("changed my mind"), repeatable=True)


def test_an_order_that_does_not_exist_declines_to_ship_in_writing() -> None:
    given(decider).when(SHIP).then(declined("unknown-order"), repeatable=True)


def test_fulfilment_cancels_for_its_own_reason() -> None:
    given(decider, CREATED, CONFIRMED).when(CANCEL).then(OrderCancelled(order_id=ORDER, reason="out-of-stock"))


def test_a_customer_who_was_first_gives_the_reason() -> None:
    given(decider, CREATED, CONFIRMED, REQUESTED).when(CANCEL).then(OrderCancelled(order_id=ORDER, reason="too late"))


def test_only_the_first_of_several_wishes_gives_the_reason() -> None:
    second = CancellationRequested(order_id=ORDER, reason="changed my mind")
    given(decider, CREATED, CONFIRMED, REQUESTED, second).when(CANCEL).then(
        OrderCancelled(order_id=ORDER, reason="too late")
    )


def test_an_order_that_does_not_exist_is_cancelled_in_writing() -> None:
    given(decider).when(CANCEL).then(OrderCancelled(order_id=ORDER, reason="out-of-stock"), repeatable=True)


def test_a_customer_cannot_cancel_an_order_that_does_not_exist() -> None:
    given(decider).when(WISH).refuses("unknown-order")
