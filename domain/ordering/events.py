"""The events of an order, and its lines."""

from collections.abc import Iterable
from functools import reduce
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

from domain.message import Event
from domain.money import Currency, Money, zero
from domain.ordering import upcasters


class Line(BaseModel):
    """What was ordered at which price. `line` counts from 1 and is never reused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line: int
    sku: str
    quantity: int
    unit_price: Money


class OrderCreated(Event, name="OrderCreated", version=3, upcasters=upcasters.CREATED):
    order_id: str
    customer_id: str
    account_id: str
    currency: Currency
    lines: tuple[Line, ...]


class ItemAdded(Event, name="ItemAdded", version=3, upcasters=upcasters.ITEM_ADDED):
    order_id: str
    line: Line


class ItemRemoved(Event, name="ItemRemoved", version=1):
    order_id: str
    line: int


class OrderConfirmed(Event, name="OrderConfirmed", version=3, upcasters=upcasters.CONFIRMED):
    order_id: str
    account_id: str
    lines: tuple[Line, ...]
    total: Money


class CancellationRequested(Event, name="CancellationRequested", version=1):
    order_id: str
    reason: str


class OrderShipped(Event, name="OrderShipped", version=1):
    order_id: str


class ShipmentDeclined(Event, name="ShipmentDeclined", version=1):
    order_id: str
    reason: str


class OrderCancelled(Event, name="OrderCancelled", version=1):
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
    return reduce(Money.__add__, (line.unit_price.times(line.quantity) for line in lines), zero(currency))
