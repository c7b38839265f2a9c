"""How much of one SKU is on hand, and how much of that is reserved for orders."""

from typing import Any, Final

from domain.message import Recorded
from domain.stock.stock import (
    ReservationConsumed,
    ReservationDeclined,
    ReservationReleased,
    SkuRegistered,
    StockDamaged,
    StockReceived,
    StockReserved,
)
from domain.value import value
from projections.projection import Projection, Row, where_known


@value
class StockLevel(Row):
    """`on_hand` is what was received less what was damaged or shipped, `available` what no order holds of it."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    damaged: int
    version: int


def register(row: StockLevel | None, recorded: Recorded[SkuRegistered]) -> StockLevel:
    sku, version = recorded.event.sku, recorded.version
    return StockLevel(sku=sku, on_hand=0, reserved=0, available=0, damaged=0, version=version)


def receive(row: StockLevel, recorded: Recorded[StockReceived]) -> StockLevel:
    return _moved(row, recorded, on_hand=recorded.event.quantity)


def write_off(row: StockLevel, recorded: Recorded[StockDamaged]) -> StockLevel:
    return _moved(row, recorded, on_hand=-recorded.event.quantity, damaged=recorded.event.quantity)


def reserve(row: StockLevel, recorded: Recorded[StockReserved]) -> StockLevel:
    return _moved(row, recorded, reserved=recorded.event.quantity)


def release(row: StockLevel, recorded: Recorded[ReservationReleased]) -> StockLevel:
    return _moved(row, recorded, reserved=-recorded.event.quantity)


def consume(row: StockLevel, recorded: Recorded[ReservationConsumed]) -> StockLevel:
    return _moved(row, recorded, on_hand=-recorded.event.quantity, reserved=-recorded.event.quantity)


def note_declined(row: StockLevel, recorded: Recorded[ReservationDeclined]) -> StockLevel:
    """Changes the version alone, which a client needs for its next conditional request."""
    return _moved(row, recorded)


def _moved(
    row: StockLevel, recorded: Recorded[Any], *, on_hand: int = 0, reserved: int = 0, damaged: int = 0
) -> StockLevel:
    on_hand, reserved = row.on_hand + on_hand, row.reserved + reserved
    return StockLevel(
        sku=row.sku,
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        damaged=row.damaged + damaged,
        version=recorded.version,
    )


projection: Final = Projection[StockLevel](
    name="stock_levels",
    category="stock",
    row=StockLevel,
    handlers={
        SkuRegistered: register,
        StockReceived: where_known(receive),
        StockDamaged: where_known(write_off),
        StockReserved: where_known(reserve),
        ReservationDeclined: where_known(note_declined),
        ReservationReleased: where_known(release),
        ReservationConsumed: where_known(consume),
    },
)
