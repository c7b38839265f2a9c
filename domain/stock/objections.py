"""What contradicts the stock of a SKU in an event that somebody would add to it by hand."""

from typing import assert_never

from domain.stock.stock import (
    ReservationConsumed,
    ReservationDeclined,
    ReservationReleased,
    SkuRegistered,
    Stock,
    StockDamaged,
    StockEvent,
    StockReceived,
    StockReserved,
)


def objection(stock: Stock, event: StockEvent) -> str | None:
    """Why no decision leads from this state to this event; None where one may."""
    match event:
        case SkuRegistered():
            return "the SKU was registered already" if stock.registered else None
        case ReservationDeclined():
            return None
        case _ if not stock.registered:
            return "the SKU was not registered yet"
        case StockReceived():
            return _to_quantity(event.quantity)
        case StockDamaged() | StockReserved():
            return _to_taking(stock, event)
        case ReservationReleased() | ReservationConsumed():
            return _to_settling(stock, event)
        case _:
            assert_never(event)


def _to_quantity(quantity: int) -> str | None:
    return None if quantity > 0 else f"its quantity is {quantity}"


def _to_taking(stock: Stock, event: StockDamaged | StockReserved) -> str | None:
    if isinstance(event, StockReserved) and event.order_id in stock.held:
        return f"order {event.order_id} holds {stock.held[event.order_id]} already"
    if event.quantity > stock.available:
        return f"its quantity is {event.quantity}, and {stock.available} are available"
    return _to_quantity(event.quantity)


def _to_settling(stock: Stock, event: ReservationReleased | ReservationConsumed) -> str | None:
    held = stock.held.get(event.order_id)
    if held is None:
        return f"order {event.order_id} holds nothing"
    return (
        None if held == event.quantity else f"its quantity is {event.quantity}, and order {event.order_id} holds {held}"
    )
