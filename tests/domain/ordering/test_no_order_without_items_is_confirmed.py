"""Confirming fixes the lines and the total; no order without items is confirmed, none that has ended."""

from typing import Final

from domain.ordering.events import ItemRemoved, OrderConfirmed
from domain.ordering.order import ConfirmOrder, decider
from tests.domain.ordering.orders import CANCELLED, CONFIRMED, CREATED, DESK, REQUESTED, SHIPPED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.given import given

CONFIRM: Final = ConfirmOrder(order_id=ORDER)
WITHOUT_LAMP: Final = ItemRemoved(order_id=ORDER, line=1)
WITHOUT_DESK: Final = ItemRemoved(order_id=ORDER, line=2)


def test_all_lines_and_their_total_are_confirmed() -> None:
    given(decider, CREATED).when(CONFIRM).then(CONFIRMED)


def test_only_the_lines_that_are_left_are_confirmed() -> None:
    left = OrderConfirmed(order_id=ORDER, account_id=ACCOUNT, lines=(DESK,), total=money("250.00"))
    given(decider, CREATED, WITHOUT_LAMP).when(CONFIRM).then(left)


def test_a_confirmed_order_is_confirmed_already() -> None:
    given(decider, CREATED, CONFIRMED).when(CONFIRM).then()
    given(decider, CREATED, CONFIRMED, REQUESTED).when(CONFIRM).then()


def test_an_order_without_items_is_refused() -> None:
    given(decider, CREATED, WITHOUT_LAMP, WITHOUT_DESK).when(CONFIRM).refuses("no-items")


def test_a_cancelled_or_shipped_order_is_refused() -> None:
    given(decider, CREATED, CANCELLED).when(CONFIRM).refuses("order-not-pending")
    given(decider, CREATED, CONFIRMED, SHIPPED).when(CONFIRM).refuses("order-not-pending")


def test_an_order_that_does_not_exist_is_unknown() -> None:
    given(decider).when(CONFIRM).refuses("unknown-order")
