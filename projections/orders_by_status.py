"""How many orders there are of each status."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from domain.message import Recorded
from domain.ordering.events import (
    CancellationRequested,
    ItemAdded,
    ItemRemoved,
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderShipped,
    ShipmentDeclined,
)
from domain.value import value
from projections.projection import Projection, Row, where_known
from projections.reports import Days, Groups, Report
from projections.sums import Contribution, Counter

Status: TypeAlias = Literal["pending", "confirmed", "shipped", "cancelled"]
_GROUP: Final = "status"


@value
class OrderStatus(Row):
    """The status of an order."""

    status: Status


@value
class OrdersByStatus:
    """Of all orders, whenever they were created."""

    pending: int
    confirmed: int
    shipped: int
    cancelled: int


def sums(row: OrderStatus) -> Iterable[Contribution]:
    yield Counter(_GROUP, row.status)


def orders(groups: Groups, days: Days) -> OrdersByStatus:
    """The counts, those of 0 too."""
    none = {"pending": 0, "confirmed": 0, "shipped": 0, "cancelled": 0}
    return OrdersByStatus(**{**none, **groups[_GROUP]})


def create(row: OrderStatus | None, recorded: Recorded[OrderCreated]) -> OrderStatus:
    return OrderStatus(status="pending")


def confirm(row: OrderStatus, recorded: Recorded[OrderConfirmed]) -> OrderStatus:
    return OrderStatus(status="confirmed")


def ship(row: OrderStatus, recorded: Recorded[OrderShipped]) -> OrderStatus:
    return OrderStatus(status="shipped")


def cancel(row: OrderStatus, recorded: Recorded[OrderCancelled]) -> OrderStatus:
    return OrderStatus(status="cancelled")


projection: Final = Projection[OrderStatus](
    name="orders_by_status",
    category="order",
    row=OrderStatus,
    handlers={
        OrderCreated: create,
        OrderConfirmed: where_known(confirm),
        OrderShipped: where_known(ship),
        OrderCancelled: where_known(cancel),
    },
    ignored=frozenset({ItemAdded, ItemRemoved, CancellationRequested, ShipmentDeclined}),
    sums=sums,
    reports=(
        Report(
            page="dashboard",
            name="orders-by-status",
            about="How many of all orders have each status.",
            groups=lambda days: [_GROUP],
            answer=orders,
            of_days=False,
        ),
    ),
)
