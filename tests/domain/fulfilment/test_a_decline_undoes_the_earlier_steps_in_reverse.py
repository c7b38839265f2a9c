"""A decline at any step undoes the earlier ones, last first, and the order is cancelled at the very end."""

import pytest

from domain.accounts.account import Account, RefundCharge
from domain.accounts.account import decider as accounts
from domain.errors import Rejected
from domain.fulfilment.events import (
    DispatchForbidden,
    FulfilmentAbandoned,
    FulfilmentCompleted,
    GoodsMissing,
    GoodsReturned,
    GoodsSecured,
    PaymentCollected,
    PaymentFailed,
    PaymentReturned,
    PaymentWaived,
)
from domain.message import Command, Event
from domain.ordering.events import OrderCancelled
from domain.ordering.order import CancelOrder, RequestCancellation
from domain.stock.stock import ReleaseReservation
from tests.domain.fulfilment.shops import CHARGE_ID, STARTED, shop
from tests.domain.fulfilment.simulation import Shop
from tests.domain.values import ACCOUNT, ORDER, money

DESK = GoodsSecured(order_id=ORDER, sku="desk")
LAMP = GoodsSecured(order_id=ORDER, sku="lamp")
DESK_BACK = GoodsReturned(order_id=ORDER, sku="desk")
COLLECTED = PaymentCollected(order_id=ORDER, charge_id=CHARGE_ID)
LAMP_BACK = GoodsReturned(order_id=ORDER, sku="lamp")
RELEASES: list[Command] = [
    ReleaseReservation(sku="lamp", order_id=ORDER),
    ReleaseReservation(sku="desk", order_id=ORDER),
]


def abandoned(reason: str) -> FulfilmentAbandoned:
    return FulfilmentAbandoned(order_id=ORDER, reason=reason)


def told(run: Shop) -> list[Event]:
    """What the fulfilment's stream tells after its beginning."""
    run.run(ORDER)
    assert run.own(ORDER)[0] == STARTED
    return run.own(ORDER)[1:]


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize(("creator", "confirmer"), [("bob", None), (None, "bob")])
def test_a_customer_s_order_is_not_paid_from_another_s_account(
    creator: str | None, confirmer: str | None, free: bool
) -> None:
    run = shop(free=free, paid_by=creator, confirmed_by=confirmer)
    run.run(ORDER)
    assert run.own(ORDER)[1:] == [
        DESK,
        LAMP,
        PaymentFailed(order_id=ORDER, reason="account-unusable"),
        LAMP_BACK,
        DESK_BACK,
        abandoned("account-unusable"),
    ]


def test_an_order_of_its_owner_is_paid_from_the_owner_s_account() -> None:
    run = shop(paid_by="ada")
    run.run(ORDER)
    assert run.own(ORDER)[-1] == FulfilmentCompleted(order_id=ORDER)


def test_the_first_sku_is_missing() -> None:
    run = shop(desks=0)
    assert told(run) == [GoodsMissing(order_id=ORDER, sku="desk"), LAMP, LAMP_BACK, abandoned("out-of-stock")]


def test_the_second_sku_is_missing() -> None:
    run = shop(lamps=2)
    assert told(run) == [DESK, GoodsMissing(order_id=ORDER, sku="lamp"), DESK_BACK, abandoned("out-of-stock")]


def test_all_skus_are_missing() -> None:
    missing = [GoodsMissing(order_id=ORDER, sku=sku) for sku in ("desk", "lamp")]
    assert told(shop(desks=0, lamps=0)) == [*missing, abandoned("out-of-stock")]


@pytest.mark.parametrize(
    ("balance", "reason"), [("99.99", "insufficient-funds"), ("0.00", "insufficient-funds"), (None, "account-unusable")]
)
def test_the_account_declines(balance: str | None, reason: str) -> None:
    failed = PaymentFailed(order_id=ORDER, reason=reason)
    assert told(shop(balance=balance)) == [DESK, LAMP, failed, LAMP_BACK, DESK_BACK, abandoned(reason)]


def test_an_order_for_nothing_needs_a_usable_account_too() -> None:
    run = shop(balance=None, free=True)
    run.run(ORDER)
    assert run.own(ORDER)[-1] == abandoned("account-unusable")


def test_the_customer_wanted_out_before_shipping() -> None:
    run = shop()
    run.send(RequestCancellation(order_id=ORDER, reason="too late"))
    assert told(run) == [
        DESK,
        LAMP,
        COLLECTED,
        DispatchForbidden(order_id=ORDER, reason="too late"),
        PaymentReturned(order_id=ORDER),
        LAMP_BACK,
        DESK_BACK,
        abandoned("too late"),
    ]
    refund = RefundCharge(account_id=ACCOUNT, order_id=ORDER, amount=money("100.00"), charge_id=CHARGE_ID)
    assert run.asked[-4:] == [refund, *RELEASES, CancelOrder(order_id=ORDER, reason="too late")]


def test_what_was_not_charged_is_not_refunded() -> None:
    run = shop(free=True)
    run.send(RequestCancellation(order_id=ORDER))
    run.run(ORDER)
    assert run.own(ORDER)[3:] == [
        PaymentWaived(order_id=ORDER),
        DispatchForbidden(order_id=ORDER, reason="cancelled-by-customer"),
        LAMP_BACK,
        DESK_BACK,
        abandoned("cancelled-by-customer"),
    ]


def test_a_customer_who_wanted_out_first_gives_the_reason() -> None:
    run = shop(desks=0)
    run.send(RequestCancellation(order_id=ORDER, reason="too late"))
    run.run(ORDER)
    assert run.streams[f"order-{ORDER}"][-1] == OrderCancelled(order_id=ORDER, reason="too late")
    assert run.own(ORDER)[-1] == abandoned("too late")


@pytest.mark.parametrize("steps", range(4))
def test_until_it_is_shipped_a_customer_may_want_out_at_any_step(steps: int) -> None:
    run = shop()
    run.deliver(ORDER)
    for _ in range(steps):
        run.step(ORDER)
    run.send(RequestCancellation(order_id=ORDER, reason="too late"))
    run.run(ORDER)
    assert run.own(ORDER)[3:] == [
        COLLECTED,
        DispatchForbidden(order_id=ORDER, reason="too late"),
        PaymentReturned(order_id=ORDER),
        LAMP_BACK,
        DESK_BACK,
        abandoned("too late"),
    ]


@pytest.mark.parametrize("steps", range(4, 7))
def test_once_shipped_a_customer_comes_too_late(steps: int) -> None:
    run = shop()
    run.deliver(ORDER)
    for _ in range(steps):
        run.step(ORDER)
    with pytest.raises(Rejected, match="has been shipped"):
        run.send(RequestCancellation(order_id=ORDER))
    run.run(ORDER)
    assert run.own(ORDER)[-1] == FulfilmentCompleted(order_id=ORDER)


def test_the_account_is_as_it_was() -> None:
    run = shop()
    run.send(RequestCancellation(order_id=ORDER))
    run.run(ORDER)
    zero, whole = money("0.00"), money("100.00")
    assert accounts.fold(run.streams[f"account-{ACCOUNT}"]) == Account("ada", balance=whole, credit_limit=zero)  # type: ignore[arg-type]  # its own events only
