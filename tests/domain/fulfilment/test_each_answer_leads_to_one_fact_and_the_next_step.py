"""What each answer means to a fulfilment, and what it asks for then."""

from typing import Final

from domain.accounts.account import AccountCharged, ChargeAccount, ChargeDeclined, ChargeRefunded, RefundCharge
from domain.fulfilment.events import (
    DispatchAgreed,
    DispatchForbidden,
    FulfilmentAbandoned,
    FulfilmentCompleted,
    FulfilmentStarted,
    GoodsHandedOver,
    GoodsMissing,
    GoodsReturned,
    GoodsSecured,
    PaymentCollected,
    PaymentFailed,
    PaymentReturned,
    PaymentTaken,
    Reservation,
)
from domain.fulfilment.saga import first, saga
from domain.message import Command
from domain.ordering.events import OrderCancelled, OrderShipped, ShipmentDeclined
from domain.ordering.order import CancelOrder, ShipOrder
from domain.stock.stock import (
    ConsumeReservation,
    ReleaseReservation,
    ReservationConsumed,
    ReservationDeclined,
    ReservationReleased,
    ReserveStock,
    StockReserved,
)
from domain.value import changed
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.given_saga import ANSWER_ID, answer, given

PRICE: Final = money("70.00")
STARTED: Final = FulfilmentStarted(
    order_id=ORDER, account_id=ACCOUNT, total=PRICE, reservations=(Reservation(sku="desk", quantity=1),)
)
SECURED: Final = GoodsSecured(order_id=ORDER, sku="desk")
CHARGE_ID: Final = str(ANSWER_ID)
PAID: Final = PaymentCollected(order_id=ORDER, charge_id=CHARGE_ID)
AGREED: Final = DispatchAgreed(order_id=ORDER)
FORBIDDEN: Final = DispatchForbidden(order_id=ORDER, reason="too late")
REFUNDED: Final = PaymentReturned(order_id=ORDER)
RELEASE: Final[dict[str, Command]] = {"release:desk": ReleaseReservation(sku="desk", order_id=ORDER)}


def test_goods_that_are_secured_are_charged() -> None:
    reserved = StockReserved(sku="desk", order_id=ORDER, quantity=1)
    charge = ChargeAccount(account_id=ACCOUNT, order_id=ORDER, amount=PRICE)
    given(saga, STARTED).asks(**{"reserve:desk": ReserveStock(sku="desk", order_id=ORDER, quantity=1)})
    given(saga, STARTED).when(answer("reserve:desk", reserved)).then(SECURED, asks={"charge": charge})


def test_goods_that_are_missing_cancel_the_order() -> None:
    declined = ReservationDeclined(sku="desk", order_id=ORDER, quantity=1, available=0)
    cancel = CancelOrder(order_id=ORDER, reason="out-of-stock")
    missing = GoodsMissing(order_id=ORDER, sku="desk")
    given(saga, STARTED).when(answer("reserve:desk", declined)).then(missing, asks={"cancel": cancel})


def test_a_reservation_that_is_not_answered_is_asked_for_after_a_decline_too() -> None:
    """It may have been made: only once all are answered is anything given back."""
    two = (Reservation(sku="desk", quantity=1), Reservation(sku="lamp", quantity=2))
    begun = changed(STARTED, reservations=two)
    reserve = {"reserve:lamp": ReserveStock(sku="lamp", order_id=ORDER, quantity=2)}
    declined = ReservationDeclined(sku="desk", order_id=ORDER, quantity=1, available=0)
    missing = GoodsMissing(order_id=ORDER, sku="desk")
    given(saga, begun).when(answer("reserve:desk", declined)).then(missing, asks=reserve)
    reserved = answer("reserve:lamp", StockReserved(sku="lamp", order_id=ORDER, quantity=2))
    release = {"release:lamp": ReleaseReservation(sku="lamp", order_id=ORDER)}
    given(saga, begun, missing).when(reserved).then(GoodsSecured(order_id=ORDER, sku="lamp"), asks=release)


def test_a_charge_whose_id_is_not_known_is_refunded_as_the_first_version_did() -> None:
    refund = RefundCharge(account_id=ACCOUNT, order_id=ORDER, amount=PRICE)
    taken = PaymentTaken(order_id=ORDER)
    for version in (first, saga):
        assert given(version, STARTED, SECURED, taken, FORBIDDEN).pending == {"refund": refund}


def test_what_is_paid_is_shipped() -> None:
    charged = AccountCharged(account_id=ACCOUNT, order_id=ORDER, amount=PRICE)
    given(saga, STARTED, SECURED).when(answer("charge", charged)).then(PAID, asks={"ship": ShipOrder(order_id=ORDER)})


def test_what_is_not_paid_gives_the_goods_back() -> None:
    declined = ChargeDeclined(account_id=ACCOUNT, order_id=ORDER, amount=PRICE, reason="insufficient-funds")
    failed = PaymentFailed(order_id=ORDER, reason="insufficient-funds")
    given(saga, STARTED, SECURED).when(answer("charge", declined)).then(failed, asks=RELEASE)


def test_what_is_shipped_is_consumed() -> None:
    consume = ConsumeReservation(sku="desk", order_id=ORDER)
    shipped = answer("ship", OrderShipped(order_id=ORDER))
    given(saga, STARTED, SECURED, PAID).when(shipped).then(AGREED, asks={"consume:desk": consume})


def test_what_may_not_be_shipped_is_refunded_first() -> None:
    refund = RefundCharge(account_id=ACCOUNT, order_id=ORDER, amount=PRICE, charge_id=CHARGE_ID)
    declined = answer("ship", ShipmentDeclined(order_id=ORDER, reason="too late"))
    given(saga, STARTED, SECURED, PAID).when(declined).then(FORBIDDEN, asks={"refund": refund})


def test_what_is_refunded_gives_the_goods_back() -> None:
    refunded = answer("refund", ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=PRICE, charge_id=CHARGE_ID))
    given(saga, STARTED, SECURED, PAID, FORBIDDEN).when(refunded).then(REFUNDED, asks=RELEASE)


def test_when_all_is_given_back_the_order_is_cancelled() -> None:
    released = answer("release:desk", ReservationReleased(sku="desk", order_id=ORDER, quantity=1))
    cancel = CancelOrder(order_id=ORDER, reason="too late")
    returned = GoodsReturned(order_id=ORDER, sku="desk")
    past = (STARTED, SECURED, PAID, FORBIDDEN, REFUNDED)
    given(saga, *past).when(released).then(returned, asks={"cancel": cancel})
    cancelled = answer("cancel", OrderCancelled(order_id=ORDER, reason="too late"))
    abandoned = FulfilmentAbandoned(order_id=ORDER, reason="too late")
    given(saga, *past, returned).when(cancelled).then(abandoned, asks={})


def test_the_last_that_is_handed_over_completes_it() -> None:
    consumed = answer("consume:desk", ReservationConsumed(sku="desk", order_id=ORDER, quantity=1))
    handed = GoodsHandedOver(order_id=ORDER, sku="desk")
    completed = FulfilmentCompleted(order_id=ORDER)
    given(saga, STARTED, SECURED, PAID, AGREED).when(consumed).then(handed, completed, asks={})
