"""One order as its customer sees it: items, total and status."""

from datetime import datetime
from typing import Any, Final, Literal

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
from domain.value import changed, value
from projections.projection import Projection, Row, where_known


@value
class OrderSummary(Row):
    """`total` is the sum of quantity times unit price, `item_count` that of the quantities; `reason` why cancelled."""

    id: str
    customer_id: str
    account_id: str
    status: Literal["pending", "confirmed", "shipped", "cancelled"]
    currency: Currency
    total: Money
    items: tuple[Line, ...]
    item_count: int
    reason: str | None
    created_at: datetime
    updated_at: datetime
    version: int


def create(row: OrderSummary | None, recorded: Recorded[OrderCreated]) -> OrderSummary:
    event = recorded.event
    return OrderSummary(
        id=event.order_id,
        customer_id=event.customer_id,
        account_id=event.account_id,
        status="pending",
        currency=event.currency,
        total=total_of(event.lines, event.currency),
        items=event.lines,
        item_count=sum(line.quantity for line in event.lines),
        reason=None,
        created_at=recorded.at,
        updated_at=recorded.at,
        version=recorded.version,
    )


def add_item(row: OrderSummary, recorded: Recorded[ItemAdded]) -> OrderSummary:
    return _with_items(row, recorded, (*row.items, recorded.event.line))


def remove_item(row: OrderSummary, recorded: Recorded[ItemRemoved]) -> OrderSummary:
    return _with_items(row, recorded, tuple(item for item in row.items if item.line != recorded.event.line))


def confirm(row: OrderSummary, recorded: Recorded[OrderConfirmed]) -> OrderSummary:
    return _moved(row, recorded, status="confirmed")


def ship(row: OrderSummary, recorded: Recorded[OrderShipped]) -> OrderSummary:
    return _moved(row, recorded, status="shipped")


def cancel(row: OrderSummary, recorded: Recorded[OrderCancelled]) -> OrderSummary:
    return _moved(row, recorded, status="cancelled", reason=recorded.event.reason)


def note(row: OrderSummary, recorded: Recorded[CancellationRequested | ShipmentDeclined]) -> OrderSummary:
    """Changes the version and time alone, which a client needs for its next conditional request."""
    return _moved(row, recorded)


def _with_items(row: OrderSummary, recorded: Recorded[Any], items: tuple[Line, ...]) -> OrderSummary:
    total, item_count = total_of(items, row.currency), sum(item.quantity for item in items)
    return _moved(row, recorded, items=items, total=total, item_count=item_count)


def _moved(row: OrderSummary, recorded: Recorded[Any], **members: Any) -> OrderSummary:
    return changed(row, **members, updated_at=recorded.at, version=recorded.version)


projection: Final = Projection[OrderSummary](
    name="order_summary",
    category="order",
    row=OrderSummary,
    handlers={
        OrderCreated: create,
        ItemAdded: where_known(add_item),
        ItemRemoved: where_known(remove_item),
        OrderConfirmed: where_known(confirm),
        CancellationRequested: where_known(note),
        OrderShipped: where_known(ship),
        ShipmentDeclined: where_known(note),
        OrderCancelled: where_known(cancel),
    },
)
