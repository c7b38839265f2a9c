"""The orders of one customer, newest first, all of them or those of one status."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, TypeAlias

from domain.message import Recorded
from domain.money import Currency, Money
from domain.ordering.events import (
    CancellationRequested,
    ItemAdded,
    ItemRemoved,
    Line,
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderShipped,
    ShipmentDeclined,
    total_of,
)
from projections.projection import Entry, Projection, Row, RowEntries, where_known

Status: TypeAlias = Literal["pending", "confirmed", "shipped", "cancelled"]


class CustomerOrder(Row):
    """An order in its customer's list. `created_position` orders the list; `total` sums the `lines`."""

    id: str
    customer_id: str
    status: Status
    currency: Currency
    total: Money
    item_count: int
    created_at: datetime
    created_position: int
    lines: tuple[Line, ...]


def of_customer(customer_id: str) -> str:
    """The index of all orders of this customer."""
    return f"customer:{customer_id}"


def of_customer_in(status: Status, customer_id: str) -> str:
    """The index of this customer's orders of one status."""
    return f"status:{status}:{customer_id}"


def entries(row: CustomerOrder) -> Iterable[Entry]:
    """Newest first is the log order of the creating events: their positions are the scores."""
    yield Entry(of_customer(row.customer_id), row.id, row.created_position)
    yield Entry(of_customer_in(row.status, row.customer_id), row.id, row.created_position)


def create(row: CustomerOrder | None, recorded: Recorded[OrderCreated]) -> CustomerOrder:
    event = recorded.event
    return CustomerOrder(
        id=event.order_id,
        customer_id=event.customer_id,
        status="pending",
        currency=event.currency,
        total=total_of(event.lines, event.currency),
        item_count=sum(line.quantity for line in event.lines),
        created_at=recorded.at,
        created_position=recorded.position,
        lines=event.lines,
    )


def add_item(row: CustomerOrder, recorded: Recorded[ItemAdded]) -> CustomerOrder:
    return _with_lines(row, (*row.lines, recorded.event.line))


def remove_item(row: CustomerOrder, recorded: Recorded[ItemRemoved]) -> CustomerOrder:
    return _with_lines(row, tuple(line for line in row.lines if line.line != recorded.event.line))


def confirm(row: CustomerOrder, recorded: Recorded[OrderConfirmed]) -> CustomerOrder:
    return row.model_copy(update={"status": "confirmed"})


def ship(row: CustomerOrder, recorded: Recorded[OrderShipped]) -> CustomerOrder:
    return row.model_copy(update={"status": "shipped"})


def cancel(row: CustomerOrder, recorded: Recorded[OrderCancelled]) -> CustomerOrder:
    return row.model_copy(update={"status": "cancelled"})


def _with_lines(row: CustomerOrder, lines: tuple[Line, ...]) -> CustomerOrder:
    total, item_count = total_of(lines, row.currency), sum(line.quantity for line in lines)
    return row.model_copy(update={"lines": lines, "total": total, "item_count": item_count})


projection: Final = Projection[CustomerOrder](
    name="orders_by_customer",
    category="order",
    row=CustomerOrder,
    handlers={
        OrderCreated: create,
        ItemAdded: where_known(add_item),
        ItemRemoved: where_known(remove_item),
        OrderConfirmed: where_known(confirm),
        OrderShipped: where_known(ship),
        OrderCancelled: where_known(cancel),
    },
    ignored=frozenset({CancellationRequested, ShipmentDeclined}),
    index=RowEntries(entries),
)
