"""Orders, each event as the service writes it, in two orders of writing."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal, TypeAlias
from uuid import uuid4

from bench.projections.templates import CUSTOMER, ID, Append, StreamTemplate, written
from domain.message import Event
from domain.money import Money
from domain.ordering import order
from domain.ordering.events import ItemAdded, Line, OrderConfirmed, OrderCreated, OrderShipped, total_of

Writing: TypeAlias = Literal["stream by stream", "interleaved"]
WRITINGS: Final[tuple[Writing, ...]] = ("stream by stream", "interleaved")
ORDER_MODELS: Final = ("order_summary", "orders_by_customer")
_OPEN_AT_ONCE: Final = 5_000  # orders, of an interleaved log


def order_appends(events: int, writing: Writing = "stream by stream") -> Iterator[Append]:
    """Orders of four events each, that many events in all.

    Stream by stream, an order's events follow each other; interleaved, 5,000 orders take turns event by event.
    """
    return ORDERS.appends(events, 1 if writing == "stream by stream" else _OPEN_AT_ONCE)


def _events() -> Iterator[Event]:
    lines = (_line(1, "mug-blue", "8.90"), _line(2, "lamp", "19.95"))
    added = _line(3, "chair", "120.00")
    account_id = str(uuid4())
    yield OrderCreated(order_id=ID, customer_id=CUSTOMER, account_id=account_id, currency="EUR", lines=lines)
    yield ItemAdded(order_id=ID, line=added)
    total = total_of((*lines, added), "EUR")
    yield OrderConfirmed(order_id=ID, account_id=account_id, lines=(*lines, added), total=total)
    yield OrderShipped(order_id=ID)


def _line(number: int, sku: str, price: str) -> Line:
    return Line(line=number, sku=sku, quantity=2, unit_price=Money(amount=Decimal(price), currency="EUR"))


ORDERS: Final = StreamTemplate(order.decider.category, written(_events()))
