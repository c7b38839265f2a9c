"""Stock levels: on hand is received less damaged and shipped, available what no order holds of it."""

import pytest

from domain.message import Event
from domain.stock.stock import ReservationDeclined, StockDamaged
from projections.stock_levels import StockLevel, projection
from tests.domain.stock.stocks import CONSUMED, RECEIVED, REGISTERED, RELEASED, RESERVED
from tests.domain.values import ORDER
from tests.support.projection_spec import SpecOf

DECLINED = ReservationDeclined(sku="lamp", order_id=ORDER, quantity=11, available=10)


def level(*, on_hand: int, version: int, reserved: int = 0, damaged: int = 0) -> StockLevel:
    available = on_hand - reserved
    return StockLevel(
        sku="lamp", on_hand=on_hand, reserved=reserved, available=available, damaged=damaged, version=version
    )


@pytest.mark.parametrize(
    ("events", "row"),
    [
        ((), level(on_hand=0, version=0)),
        ((RECEIVED,), level(on_hand=10, version=1)),
        ((RECEIVED, RECEIVED), level(on_hand=20, version=2)),
        ((RECEIVED, StockDamaged(sku="lamp", quantity=3)), level(on_hand=7, damaged=3, version=2)),
        ((RECEIVED, RESERVED), level(on_hand=10, reserved=4, version=2)),
        ((RECEIVED, RESERVED, RELEASED), level(on_hand=10, version=3)),
        ((RECEIVED, RESERVED, CONSUMED), level(on_hand=6, version=3)),
    ],
)
def test_what_is_received_may_be_damaged_reserved_released_or_consumed(
    spec: SpecOf, events: tuple[Event, ...], row: StockLevel
) -> None:
    spec(projection).given(REGISTERED, *events).then(row)


def test_a_declined_reservation_shows_in_the_version_only(spec: SpecOf) -> None:
    spec(projection).given(REGISTERED, RECEIVED, DECLINED).then(level(on_hand=10, version=2))


def test_a_stream_of_declined_reservations_has_no_row(spec: SpecOf) -> None:
    declined = spec(projection).given(DECLINED, DECLINED)
    declined.then(None)
    declined.given(REGISTERED, RECEIVED).then(level(on_hand=10, version=3))
