"""The first receipt registers the SKU; declined reservations alone make none."""

from typing import Final

from domain.stock.stock import ReceiveStock, ReservationDeclined, decider, stock_id
from tests.domain.stock.stocks import RECEIVED, REGISTERED
from tests.domain.values import ORDER
from tests.support.given import given

RECEIVE: Final = ReceiveStock(sku="lamp", quantity=10)
DECLINED: Final = ReservationDeclined(sku="lamp", order_id=ORDER, quantity=4, available=0)


def test_the_first_receipt_registers_the_sku() -> None:
    given(decider).when(RECEIVE).then(REGISTERED, RECEIVED, repeatable=True)


def test_further_receipts_only_add() -> None:
    given(decider, REGISTERED, RECEIVED).when(RECEIVE).then(RECEIVED, repeatable=True)


def test_a_stream_of_declined_reservations_holds_no_sku() -> None:
    assert not decider.exists(decider.initial)
    assert not decider.exists(decider.fold([DECLINED]))
    given(decider, DECLINED).when(RECEIVE).then(REGISTERED, RECEIVED, repeatable=True)
    assert decider.exists(decider.fold([DECLINED, REGISTERED, RECEIVED]))


def test_a_sku_has_one_stream_whose_id_is_derived_from_it() -> None:
    assert RECEIVE.aggregate_id == stock_id("lamp") == "439c59ac-0e48-5836-b0c4-2292e5bc1519"
    assert stock_id("Lamp") != stock_id("lamp")
