"""How many of the orders placed on each day have been confirmed, shipped and cancelled since."""

from collections.abc import Iterable
from datetime import date
from typing import Final

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
from domain.value import changed, value
from projections.projection import Projection, Row, where_known
from projections.reports import Days, Groups, Report, by_day, day_of, year_of
from projections.sums import Contribution, Counter


@value
class Placed(Row):
    """The day an order was created on, and what it has reached: a cancelled one may have been confirmed before."""

    day: str
    confirmed: bool
    shipped: bool
    cancelled: bool


@value
class DayConversion:
    """So many orders were placed that day, and so many of these have reached what."""

    day: date
    placed: int
    confirmed: int
    shipped: int
    cancelled: int


@value
class Conversion:
    """In the order of days; those without orders are left out."""

    days: tuple[DayConversion, ...]


def sums(row: Placed) -> Iterable[Contribution]:
    reached = {"placed": True, "confirmed": row.confirmed, "shipped": row.shipped, "cancelled": row.cancelled}
    return [Counter(year_of(row.day), f"{row.day}:{what}") for what, is_so in reached.items() if is_so]


def conversion(groups: Groups, days: Days) -> Conversion:
    """The counts of these days."""
    none = {"placed": 0, "confirmed": 0, "shipped": 0, "cancelled": 0}
    found = by_day(groups, days)
    return Conversion(days=tuple(DayConversion(day=day, **{**none, **counts}) for day, counts in found))


def create(row: Placed | None, recorded: Recorded[OrderCreated]) -> Placed:
    return Placed(day=day_of(recorded.at), confirmed=False, shipped=False, cancelled=False)


def confirm(row: Placed, recorded: Recorded[OrderConfirmed]) -> Placed:
    return changed(row, confirmed=True)


def ship(row: Placed, recorded: Recorded[OrderShipped]) -> Placed:
    return changed(row, shipped=True)


def cancel(row: Placed, recorded: Recorded[OrderCancelled]) -> Placed:
    return changed(row, cancelled=True)


projection: Final = Projection[Placed](
    name="conversion",
    category="order",
    row=Placed,
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
            name="conversion",
            about="Orders by the day they were created, and how many of them have reached what since.",
            groups=lambda days: days.years,
            answer=conversion,
        ),
    ),
)
