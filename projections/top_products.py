"""Which SKUs were shipped most."""

from collections.abc import Iterable, Sequence
from typing import Final

from domain.message import Recorded
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
)
from domain.value import changed, value
from projections.projection import Projection, Row, where_known
from projections.reports import TopReport
from projections.sums import Contribution, Ranked

_GROUP: Final = "shipped"


@value
class Parcel(Row):
    """What was confirmed to be sent, and whether it was."""

    lines: tuple[Line, ...]
    shipped: bool


@value
class Product:
    """So many of a SKU were shipped."""

    sku: str
    quantity: int


@value
class TopProducts:
    """Most first, equal ones by SKU."""

    products: tuple[Product, ...]


def sums(row: Parcel) -> Iterable[Contribution]:
    """One member a SKU: there is one ranking of all SKUs in each partition, read from its top."""
    if row.shipped:
        for line in row.lines:
            yield Ranked(_GROUP, line.sku, line.quantity)


def products(members: Sequence[tuple[str, int]]) -> TopProducts:
    """The heaviest SKUs."""
    return TopProducts(products=tuple(Product(sku=sku, quantity=quantity) for sku, quantity in members))


def confirm(row: Parcel | None, recorded: Recorded[OrderConfirmed]) -> Parcel:
    return Parcel(lines=recorded.event.lines, shipped=False)


def ship(row: Parcel, recorded: Recorded[OrderShipped]) -> Parcel:
    return changed(row, shipped=True)


def cancel(row: Parcel | None, recorded: Recorded[OrderCancelled]) -> None:
    """Nothing is left of it."""


projection: Final = Projection[Parcel](
    name="top_products",
    category="order",
    row=Parcel,
    handlers={OrderConfirmed: confirm, OrderShipped: where_known(ship), OrderCancelled: cancel},
    ignored=frozenset({OrderCreated, ItemAdded, ItemRemoved, CancellationRequested, ShipmentDeclined}),
    sums=sums,
    reports=(
        TopReport(
            page="dashboard",
            name="top-products",
            about="The SKUs of which most was shipped, most first, equal ones by SKU.",
            group=_GROUP,
            answer=products,
        ),
    ),
)
