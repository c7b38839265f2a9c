"""Histories of one order, to begin from."""

from decimal import Decimal
from typing import Final

from domain.ordering.events import (
    CancellationRequested,
    Line,
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderShipped,
)
from domain.ordering.order import CreateOrder, Item
from tests.domain.values import ACCOUNT, ORDER, money

LAMP: Final = Line(line=1, sku="lamp", quantity=2, unit_price=money("19.90"))
DESK: Final = Line(line=2, sku="desk", quantity=1, unit_price=money("250.00"))
CREATE: Final = CreateOrder(
    order_id=ORDER,
    customer_id="ada",
    account_id=ACCOUNT,
    currency="EUR",
    items=(
        Item(sku="lamp", quantity=2, unit_price=Decimal("19.90")),
        Item(sku="desk", quantity=1, unit_price=Decimal("250.00")),
    ),
)
CREATED: Final = OrderCreated(order_id=ORDER, customer_id="ada", account_id=ACCOUNT, currency="EUR", lines=(LAMP, DESK))
CONFIRMED: Final = OrderConfirmed(order_id=ORDER, account_id=ACCOUNT, lines=(LAMP, DESK), total=money("289.80"))
REQUESTED: Final = CancellationRequested(order_id=ORDER, reason="too late")
SHIPPED: Final = OrderShipped(order_id=ORDER)
CANCELLED: Final = OrderCancelled(order_id=ORDER, reason="changed my mind")
