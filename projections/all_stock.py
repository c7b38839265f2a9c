"""The stock of all SKUs, by SKU, or of those with little available, fewest first."""

from collections.abc import Iterable
from typing import Final

from domain.message import Recorded
from domain.stock.stock import (
    ReservationConsumed,
    ReservationDeclined,
    ReservationReleased,
    SkuRegistered,
    StockDamaged,
    StockReceived,
    StockReserved,
    stock_id,
)
from domain.value import value
from projections.projection import Entry, Projection, Row, RowEntries, where_known
from projections.row_lists import Range, RowList, sortable

_BY_SKU: Final = "sku"
_BY_AVAILABLE: Final = "available"
_NUMBER_LENGTH: Final = len(sortable(0))


@value
class ListedStock(Row):
    """`on_hand` is what was received less what was damaged or shipped, `available` what no order holds of it."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    damaged: int


@value
class StockFilters:
    """Those with less available than `below`."""

    below: int | None = None


def entries(row: ListedStock) -> Iterable[Entry]:
    yield Entry(_BY_SKU, f"{sortable(0)}{row.sku}")
    yield Entry(_BY_AVAILABLE, f"{sortable(row.available)}{row.sku}")


def listed(filters: StockFilters) -> Range:
    """All by SKU, or those with less available than asked for."""
    if filters.below is None:
        return Range(_BY_SKU)
    return Range(_BY_AVAILABLE, below=sortable(filters.below))


def register(row: ListedStock | None, recorded: Recorded[SkuRegistered]) -> ListedStock:
    return ListedStock(sku=recorded.event.sku, on_hand=0, reserved=0, available=0, damaged=0)


def receive(row: ListedStock, recorded: Recorded[StockReceived]) -> ListedStock:
    return _moved(row, on_hand=recorded.event.quantity)


def write_off(row: ListedStock, recorded: Recorded[StockDamaged]) -> ListedStock:
    return _moved(row, on_hand=-recorded.event.quantity, damaged=recorded.event.quantity)


def reserve(row: ListedStock, recorded: Recorded[StockReserved]) -> ListedStock:
    return _moved(row, reserved=recorded.event.quantity)


def release(row: ListedStock, recorded: Recorded[ReservationReleased]) -> ListedStock:
    return _moved(row, reserved=-recorded.event.quantity)


def consume(row: ListedStock, recorded: Recorded[ReservationConsumed]) -> ListedStock:
    return _moved(row, on_hand=-recorded.event.quantity, reserved=-recorded.event.quantity)


def _moved(row: ListedStock, *, on_hand: int = 0, reserved: int = 0, damaged: int = 0) -> ListedStock:
    on_hand, reserved = row.on_hand + on_hand, row.reserved + reserved
    return ListedStock(
        sku=row.sku, on_hand=on_hand, reserved=reserved, available=on_hand - reserved, damaged=row.damaged + damaged
    )


projection: Final = Projection[ListedStock](
    name="all_stock",
    category="stock",
    row=ListedStock,
    handlers={
        SkuRegistered: register,
        StockReceived: where_known(receive),
        StockDamaged: where_known(write_off),
        StockReserved: where_known(reserve),
        ReservationReleased: where_known(release),
        ReservationConsumed: where_known(consume),
    },
    ignored=frozenset({ReservationDeclined}),
    index=RowEntries(entries),
    lists=(
        RowList(
            name="stock",
            about="The stock of all SKUs by SKU; with below those with less available, fewest first.",
            filters=StockFilters,
            range_of=listed,
            row_in=lambda member: stock_id(member[_NUMBER_LENGTH:]),
            shows=("sku", "on_hand", "reserved", "available", "damaged"),
        ),
    ),
)
