"""The events of an order, and its lines."""

from collections.abc import Iterable
from typing import TypeAlias

from domain.message import Event, LaterText, stored_as
from domain.money import Currency, Money, sum_of
from domain.ordering import upcasters
from domain.value import value


@value
class Line:
    """What was ordered at which price. `line` counts from 1 and is never reused."""

    line: int
    sku: str
    quantity: int
    unit_price: Money


@stored_as(name="OrderCreated", version=3, upcasters=upcasters.CREATED)
class OrderCreated(Event):
    """With an `owner_id` it can be paid from an account of this owner only; without one, from any."""

    order_id: str
    customer_id: str
    account_id: str
    currency: Currency
    lines: tuple[Line, ...]
    owner_id: LaterText = None


@stored_as(name="ItemAdded", version=3, upcasters=upcasters.ITEM_ADDED)
class ItemAdded(Event):
    order_id: str
    line: Line


@stored_as(name="ItemRemoved", version=1)
class ItemRemoved(Event):
    order_id: str
    line: int


@stored_as(name="OrderConfirmed", version=3, upcasters=upcasters.CONFIRMED)
class OrderConfirmed(Event):
    """`owner_id` as in `OrderCreated`."""

    order_id: str
    account_id: str
    lines: tuple[Line, ...]
    total: Money
    owner_id: LaterText = None


@stored_as(name="CancellationRequested", version=1)
class CancellationRequested(Event):
    order_id: str
    reason: str


@stored_as(name="OrderShipped", version=1)
class OrderShipped(Event):
    order_id: str


@stored_as(name="ShipmentDeclined", version=1)
class ShipmentDeclined(Event):
    order_id: str
    reason: str


@stored_as(name="OrderCancelled", version=1)
class OrderCancelled(Event):
    order_id: str
    reason: str


OrderEvent: TypeAlias = (
    OrderCreated
    | ItemAdded
    | ItemRemoved
    | OrderConfirmed
    | CancellationRequested
    | OrderShipped
    | ShipmentDeclined
    | OrderCancelled
)


def total_of(lines: Iterable[Line], currency: Currency) -> Money:
    """The sum of quantity times unit price, exactly."""
    return sum_of([(line.unit_price, line.quantity) for line in lines], currency)
