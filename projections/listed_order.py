"""An order as lists show it: the row, and what each event makes of it, of every read model that lists orders."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from domain.message import Event, Recorded
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
from projections.projection import Row, where_known

Status: TypeAlias = Literal["pending", "confirmed", "shipped", "cancelled"]


@value
class ListedOrder(Row):
    """`total` sums the `lines`, `created_position` is that of its first event."""

    id: str
    customer_id: str
    status: Status
    currency: Currency
    total: Money
    item_count: int
    created_at: datetime
    created_position: int
    lines: tuple[Line, ...]


def create(row: ListedOrder | None, recorded: Recorded[OrderCreated]) -> ListedOrder:
    event = recorded.event
    return ListedOrder(
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


def add_item(row: ListedOrder, recorded: Recorded[ItemAdded]) -> ListedOrder:
    return _with_lines(row, (*row.lines, recorded.event.line))


def remove_item(row: ListedOrder, recorded: Recorded[ItemRemoved]) -> ListedOrder:
    return _with_lines(row, tuple(line for line in row.lines if line.line != recorded.event.line))


def confirm(row: ListedOrder, recorded: Recorded[OrderConfirmed]) -> ListedOrder:
    return changed(row, status="confirmed")


def ship(row: ListedOrder, recorded: Recorded[OrderShipped]) -> ListedOrder:
    return changed(row, status="shipped")


def cancel(row: ListedOrder, recorded: Recorded[OrderCancelled]) -> ListedOrder:
    return changed(row, status="cancelled")


def _with_lines(row: ListedOrder, lines: tuple[Line, ...]) -> ListedOrder:
    total, item_count = total_of(lines, row.currency), sum(line.quantity for line in lines)
    return changed(row, lines=lines, total=total, item_count=item_count)


HANDLERS: Final[Mapping[type[Event], Callable[[ListedOrder | None, Any], ListedOrder | None]]] = {
    OrderCreated: create,
    ItemAdded: where_known(add_item),
    ItemRemoved: where_known(remove_item),
    OrderConfirmed: where_known(confirm),
    OrderShipped: where_known(ship),
    OrderCancelled: where_known(cancel),
}
IGNORED: Final[frozenset[type[Event]]] = frozenset({CancellationRequested, ShipmentDeclined})
