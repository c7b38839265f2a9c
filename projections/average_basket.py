"""What a shipped order comes to on average, in each currency."""

from collections.abc import Iterable
from fractions import Fraction
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
from projections.reports import Days, Groups, Report
from projections.sums import Contribution, Counter

_GROUP: Final = "baskets"


@value
class Basket(Row):
    """A confirmed order with its total, and whether it was shipped."""

    total: Money
    shipped: bool


@value
class CurrencyBaskets:
    """So many orders were shipped, for so much in all; `average` is rounded half even to the currency's decimals."""

    currency: Currency
    orders: int
    total: str
    average: str


@value
class AverageBasket:
    """In the order of currencies; those without any are left out."""

    currencies: tuple[CurrencyBaskets, ...]


def sums(row: Basket) -> Iterable[Contribution]:
    if row.shipped:
        yield Counter(_GROUP, f"{row.total.currency}:orders")
        yield Counter(_GROUP, f"{row.total.currency}:total", minor_units(row.total))


def averages(groups: Groups, days: Days) -> AverageBasket:
    """The averages over all shipped orders."""
    counts = groups[_GROUP]
    return AverageBasket(
        currencies=tuple(
            _of(currency, orders, counts.get(f"{currency}:total", 0))
            for currency in sorted(DECIMALS)
            if (orders := counts.get(f"{currency}:orders"))
        )
    )


def _of(currency: Currency, orders: int, units: int) -> CurrencyBaskets:
    total, average = of_minor_units(units, currency), of_minor_units(round(Fraction(units, orders)), currency)
    return CurrencyBaskets(currency=currency, orders=orders, total=f"{total.amount:f}", average=f"{average.amount:f}")


def confirm(row: Basket | None, recorded: Recorded[OrderConfirmed]) -> Basket:
    return Basket(total=recorded.event.total, shipped=False)


def ship(row: Basket, recorded: Recorded[OrderShipped]) -> Basket:
    return changed(row, shipped=True)


def cancel(row: Basket | None, recorded: Recorded[OrderCancelled]) -> None:
    """Nothing is left of it."""


projection: Final = Projection[Basket](
    name="average_basket",
    category="order",
    row=Basket,
    handlers={OrderConfirmed: confirm, OrderShipped: where_known(ship), OrderCancelled: cancel},
    ignored=frozenset({OrderCreated, ItemAdded, ItemRemoved, CancellationRequested, ShipmentDeclined}),
    sums=sums,
    reports=(
        Report(
            page="dashboard",
            name="average-basket",
            about="Of all shipped orders the sum and the average of their totals, by currency.",
            groups=lambda days: [_GROUP],
            answer=averages,
            of_days=False,
        ),
    ),
)
