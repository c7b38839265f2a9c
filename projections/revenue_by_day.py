"""The revenue of each day and currency: the totals of the orders shipped that day."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from domain.message import Recorded
from domain.money import DECIMALS, Currency, Money, minor_units, of_minor_units
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
class Sale(Row):
    """A confirmed order with its total, and the day it was shipped on, if it was."""

    total: Money
    shipped_on: str | None


@value
class DayRevenue:
    """So many orders were shipped that day, for so much in all."""

    day: date
    currency: Currency
    orders: int
    revenue: str


@value
class Revenue:
    """In the order of days, then currencies; days without any are left out."""

    days: tuple[DayRevenue, ...]


def sums(row: Sale) -> Iterable[Contribution]:
    if row.shipped_on is not None:
        place = f"{row.shipped_on}:{row.total.currency}"
        yield Counter(year_of(row.shipped_on), f"{place}:orders")
        yield Counter(year_of(row.shipped_on), f"{place}:revenue", minor_units(row.total))


def revenue(groups: Groups, days: Days) -> Revenue:
    """The revenue of these days."""
    return Revenue(days=tuple(each for day, counts in by_day(groups, days) for each in _of(day, counts)))


def _of(day: date, counts: Mapping[str, int]) -> Iterable[DayRevenue]:
    for currency in sorted(DECIMALS):
        if orders := counts.get(f"{currency}:orders"):
            total = of_minor_units(counts.get(f"{currency}:revenue", 0), currency)
            yield DayRevenue(day=day, currency=currency, orders=orders, revenue=f"{total.amount:f}")


def confirm(row: Sale | None, recorded: Recorded[OrderConfirmed]) -> Sale:
    return Sale(total=recorded.event.total, shipped_on=None)


def ship(row: Sale, recorded: Recorded[OrderShipped]) -> Sale:
    return changed(row, shipped_on=day_of(recorded.at))


def cancel(row: Sale | None, recorded: Recorded[OrderCancelled]) -> None:
    """Nothing is left of it."""


projection: Final = Projection[Sale](
    name="revenue_by_day",
    category="order",
    row=Sale,
    handlers={OrderConfirmed: confirm, OrderShipped: where_known(ship), OrderCancelled: cancel},
    ignored=frozenset({OrderCreated, ItemAdded, ItemRemoved, CancellationRequested, ShipmentDeclined}),
    sums=sums,
    reports=(
        Report(
            page="dashboard",
            name="revenue",
            about="Orders shipped on each day and the sum of their totals, by currency; days without any are left out.",
            groups=lambda days: days.years,
            answer=revenue,
        ),
    ),
)
