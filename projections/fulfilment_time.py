"""How long it took from an order's confirmation to its shipping, by the day of shipping."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
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
from projections.reports import Days, Groups, Report, by_day, day_of, month_of
from projections.sketch import bucket_of, quantile
from projections.sums import Contribution, Counter

_UNIT: Final = timedelta(microseconds=1)
_UNITS_A_SECOND: Final = 1_000_000


@value
class Fulfilled(Row):
    """When an order was confirmed, and shipped, if it was."""

    confirmed_at: datetime
    shipped_at: datetime | None


@value
class DayFulfilment:
    """So many orders were shipped that day, half of them within `p50_seconds` of their confirmation."""

    day: date
    orders: int
    p50_seconds: float
    p95_seconds: float


@value
class FulfilmentTime:
    """In the order of days; those without any are left out."""

    days: tuple[DayFulfilment, ...]


def sums(row: Fulfilled) -> Iterable[Contribution]:
    """A sketch a day, of microseconds; those of a month are one group. Where a clock stepped back it took no time."""
    if row.shipped_at is not None:
        day, took = day_of(row.shipped_at), (row.shipped_at - row.confirmed_at) // _UNIT
        yield Counter(month_of(day), f"{day}:{bucket_of(took)}")


def fulfilment_time(groups: Groups, days: Days) -> FulfilmentTime:
    """The quantiles of these days."""
    return FulfilmentTime(days=tuple(_of(day, buckets) for day, buckets in by_day(groups, days)))


def _of(day: date, buckets: Mapping[str, int]) -> DayFulfilment:
    p50, p95 = (_seconds(quantile(buckets, q)) for q in (0.5, 0.95))
    return DayFulfilment(day=day, orders=sum(buckets.values()), p50_seconds=p50, p95_seconds=p95)


def _seconds(units: float) -> float:
    """To five digits, which is more than is known."""
    return float(f"{units / _UNITS_A_SECOND:.5g}")


def confirm(row: Fulfilled | None, recorded: Recorded[OrderConfirmed]) -> Fulfilled:
    return Fulfilled(confirmed_at=recorded.at, shipped_at=None)


def ship(row: Fulfilled, recorded: Recorded[OrderShipped]) -> Fulfilled:
    return changed(row, shipped_at=recorded.at)


def cancel(row: Fulfilled | None, recorded: Recorded[OrderCancelled]) -> None:
    """Nothing is left of it."""


projection: Final = Projection[Fulfilled](
    name="fulfilment_time",
    category="order",
    row=Fulfilled,
    handlers={OrderConfirmed: confirm, OrderShipped: where_known(ship), OrderCancelled: cancel},
    ignored=frozenset({OrderCreated, ItemAdded, ItemRemoved, CancellationRequested, ShipmentDeclined}),
    sums=sums,
    reports=(
        Report(
            page="dashboard",
            name="fulfilment-time",
            about="From confirmed to shipped, by the day of shipping; quantiles are exact to 1 %.",
            groups=lambda days: days.months,
            answer=fulfilment_time,
        ),
    ),
)
