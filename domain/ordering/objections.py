"""What contradicts an order in an event that somebody would add to it by hand."""

from typing import assert_never

from domain.ordering.events import (
    CancellationRequested,
    ItemAdded,
    ItemRemoved,
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderEvent,
    OrderShipped,
    ShipmentDeclined,
)
from domain.ordering.order import MOST_LINES, NoOrder, Order


def objection(order: NoOrder | Order, event: OrderEvent) -> str | None:
    """Why no decision leads from this state to this event; None where one may."""
    if isinstance(event, OrderCreated):
        return "the order was created already" if isinstance(order, Order) else None
    if isinstance(order, NoOrder):
        return None if isinstance(event, ShipmentDeclined | OrderCancelled) else "no order was created yet"
    match event:
        case ItemAdded() | ItemRemoved() | OrderConfirmed():
            return _to_pending(order, event)
        case CancellationRequested() | OrderShipped():
            return _to_confirmed(order)
        case OrderCancelled():
            return f"the order is {order.status}" if order.status in {"shipped", "cancelled"} else None
        case ShipmentDeclined():
            return None
        case _:
            assert_never(event)


def _to_pending(order: Order, event: ItemAdded | ItemRemoved | OrderConfirmed) -> str | None:
    if order.status != "pending":
        return f"the order is {order.status}"
    match event:
        case ItemAdded():
            return _to_adding(order, event)
        case ItemRemoved():
            is_there = any(line.line == event.line for line in order.lines)
            return None if is_there else f"the order has no line {event.line}"
        case OrderConfirmed():
            return None if order.lines else "the order has no lines"
        case _:
            assert_never(event)


def _to_adding(order: Order, event: ItemAdded) -> str | None:
    if event.line.line != order.next_line:
        return f"it adds line {event.line.line}, and the next is {order.next_line}"
    if event.line.unit_price.currency != order.currency:
        return f"its price is in {event.line.unit_price.currency}, the order in {order.currency}"
    return f"the order has {MOST_LINES} lines already" if len(order.lines) >= MOST_LINES else None


def _to_confirmed(order: Order) -> str | None:
    if order.status != "confirmed":
        return f"the order is {order.status}"
    return None if order.cause is None else f"the order is to be cancelled: {order.cause}"
