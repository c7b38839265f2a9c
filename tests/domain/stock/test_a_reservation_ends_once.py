"""A reservation is released or consumed, whole and once."""

from typing import Final

from domain.stock.stock import ConsumeReservation, ReleaseReservation, decider
from tests.domain.stock.stocks import CONSUMED, OTHER_ORDER, RECEIVED, REGISTERED, RELEASED, RESERVED
from tests.domain.values import ORDER
from tests.support.given import given

RELEASE: Final = ReleaseReservation(sku="lamp", order_id=ORDER)
CONSUME: Final = ConsumeReservation(sku="lamp", order_id=ORDER)


def test_a_reservation_is_released_once() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED).when(RELEASE).then(RELEASED)


def test_a_reservation_is_consumed_once() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED).when(CONSUME).then(CONSUMED)


def test_what_was_released_is_not_consumed() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED, RELEASED).when(CONSUME).then()


def test_what_was_consumed_is_not_released() -> None:
    given(decider, REGISTERED, RECEIVED, RESERVED, CONSUMED).when(RELEASE).then()


def test_an_order_ends_no_reservation_but_its_own() -> None:
    release = ReleaseReservation(sku="lamp", order_id=OTHER_ORDER)
    given(decider, REGISTERED, RECEIVED, RESERVED).when(release).then()
