"""All orders, newest first, those of one status, one currency, and some time of creation."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.money import Currency
from domain.value import value
from projections.listed_order import HANDLERS, IGNORED, ListedOrder, Status
from projections.projection import Entry, Projection, RowEntries
from projections.row_lists import Range, RowList, sortable, sortable_time

_ANY: Final = "*"
_ID_LENGTH: Final = 36


@value
class OrderFilters:
    """`from_` is the first time of creation that is listed, `to` the first after those."""

    status: Status | None = None
    currency: Currency | None = None
    from_: datetime | None = None
    to: datetime | None = None


def of(status: str | None, currency: str | None) -> str:
    """The index of the orders of this status and currency; None stands for any."""
    return f"{status or _ANY}:{currency or _ANY}"


def entries(row: ListedOrder) -> Iterable[Entry]:
    """By time of creation, those of one microsecond as the log has them: so a time leads to its place in the list."""
    member = f"{sortable_time(row.created_at)}{sortable(row.created_position)}{row.id}"
    for status in (None, row.status):
        for currency in (None, row.currency):
            yield Entry(of(status, currency), member)


def listed(filters: OrderFilters) -> Range:
    """The part of an index that holds exactly the orders that are asked for."""
    least = "" if filters.from_ is None else sortable_time(filters.from_)
    below = "" if filters.to is None else sortable_time(filters.to)
    return Range(of(filters.status, filters.currency), least, below)


projection: Final = Projection[ListedOrder](
    name="all_orders",
    category="order",
    row=ListedOrder,
    handlers=HANDLERS,
    ignored=IGNORED,
    index=RowEntries(entries),
    lists=(
        RowList(
            name="orders",
            about="All orders, the newest by their time of creation first; from is included, to is not.",
            filters=OrderFilters,
            range_of=listed,
            row_in=lambda member: member[-_ID_LENGTH:],
            shows=("id", "customer_id", "status", "total", "currency", "item_count", "created_at"),
            newest_first=True,
        ),
    ),
)
