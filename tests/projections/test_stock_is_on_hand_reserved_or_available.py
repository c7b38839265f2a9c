"""Stock levels: on hand is received less damaged and shipped, available what no order holds of it."""

from pydantic import TypeAdapter
from pydantic_core import to_json

from domain.message import Event
from domain.stock.stock import ReservationDeclined, StockDamaged
from projections.stock_levels import StockLevel, projection
from tests.domain.stock.stocks import CONSUMED, RECEIVED, REGISTERED, RELEASED, RESERVED
from tests.domain.values import ORDER
from tests.projections.history import index_after, row_after

DECLINED = ReservationDeclined(sku="lamp", order_id=ORDER, quantity=11, available=10)


def level(*, on_hand: int, version: int, reserved: int = 0, damaged: int = 0) -> StockLevel:
    available = on_hand - reserved
    return StockLevel(
        sku="lamp", on_hand=on_hand, reserved=reserved, available=available, damaged=damaged, version=version
    )


def after(*events: Event) -> StockLevel | None:
    return row_after(projection, REGISTERED, RECEIVED, *events)


def test_a_registered_sku_has_nothing_yet() -> None:
    assert row_after(projection, REGISTERED) == level(on_hand=0, version=0)


def test_what_was_received_is_available() -> None:
    assert after() == level(on_hand=10, version=1)
    assert after(RECEIVED) == level(on_hand=20, version=2)


def test_what_was_damaged_is_gone() -> None:
    assert after(StockDamaged(sku="lamp", quantity=3)) == level(on_hand=7, damaged=3, version=2)


def test_what_is_reserved_is_on_hand_but_not_available() -> None:
    assert after(RESERVED) == level(on_hand=10, reserved=4, version=2)


def test_what_was_released_is_available_again() -> None:
    assert after(RESERVED, RELEASED) == level(on_hand=10, version=3)


def test_what_was_consumed_is_gone() -> None:
    assert after(RESERVED, CONSUMED) == level(on_hand=6, version=3)


def test_a_declined_reservation_shows_in_the_version_only() -> None:
    assert after(DECLINED) == level(on_hand=10, version=2)


def test_a_stream_of_declined_reservations_has_no_row() -> None:
    assert row_after(projection, DECLINED, DECLINED) is None
    assert row_after(projection, DECLINED, REGISTERED, RECEIVED) == level(on_hand=10, version=2)


def test_it_is_read_by_key_only() -> None:
    assert index_after(projection, REGISTERED, RECEIVED, RESERVED) == {}


def test_a_row_survives_its_storage() -> None:
    row = level(on_hand=10, reserved=4, damaged=1, version=7)
    assert TypeAdapter(StockLevel).validate_json(to_json(row)) == row
