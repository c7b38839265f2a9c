"""Damage is written off from what is available, never from what is held for orders."""

from domain.stock.stock import ReservationDeclined, StockDamaged, WriteOffDamage, decider
from tests.domain.stock.stocks import RECEIVED, REGISTERED, RESERVED
from tests.domain.values import ORDER
from tests.support.given import given


def write_off(quantity: int) -> WriteOffDamage:
    return WriteOffDamage(sku="lamp", quantity=quantity)


def damaged(quantity: int) -> StockDamaged:
    return StockDamaged(sku="lamp", quantity=quantity)


def test_what_is_available_is_written_off() -> None:
    given(decider, REGISTERED, RECEIVED).when(write_off(3)).then(damaged(3), repeatable=True)
    given(decider, REGISTERED, RECEIVED, RESERVED).when(write_off(6)).then(damaged(6), refused_again="not-enough-stock")


def test_what_is_held_for_an_order_is_not_written_off() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED).when(write_off(7)).refuses("not-enough-stock")


def test_a_sku_that_was_never_received_is_unknown() -> None:
    declined = ReservationDeclined(sku="lamp", order_id=ORDER, quantity=1, available=0)
    given(decider).when(write_off(1)).refuses("unknown-sku")
    given(decider, declined).when(write_off(1)).refuses("unknown-sku")
