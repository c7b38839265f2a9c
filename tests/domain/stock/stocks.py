"""Histories of the stock of one SKU, to begin from."""

from typing import Final

from domain.stock.stock import (
    ReservationConsumed,
    ReservationReleased,
    ReserveStock,
    SkuRegistered,
    StockReceived,
    StockReserved,
)
from tests.domain.values import ORDER, numbered

OTHER_ORDER: Final = numbered(2)
REGISTERED: Final = SkuRegistered(sku="lamp")
RECEIVED: Final = StockReceived(sku="lamp", quantity=10)
RESERVED: Final = StockReserved(sku="lamp", order_id=ORDER, quantity=4)
RELEASED: Final = ReservationReleased(sku="lamp", order_id=ORDER, quantity=4)
CONSUMED: Final = ReservationConsumed(sku="lamp", order_id=ORDER, quantity=4)


def reserve(quantity: int, order_id: str = ORDER) -> ReserveStock:
    return ReserveStock(sku="lamp", order_id=order_id, quantity=quantity)
