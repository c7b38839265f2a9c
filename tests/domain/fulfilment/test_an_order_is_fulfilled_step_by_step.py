"""An order is fulfilled step by step: each SKU reserved, the account charged, the order shipped, the stock consumed."""

from domain.accounts.account import ChargeAccount
from domain.fulfilment.events import (
    DispatchAgreed,
    FulfilmentCompleted,
    GoodsHandedOver,
    GoodsSecured,
    PaymentCollected,
    PaymentWaived,
)
from domain.fulfilment.saga import first
from domain.message import Command
from domain.ordering.events import OrderShipped
from domain.ordering.order import ShipOrder
from domain.stock.stock import ConsumeReservation, ReserveStock
from tests.domain.fulfilment.shops import CHARGE_ID, STARTED, shop
from tests.domain.values import ACCOUNT, ORDER, money

ASKED: list[Command] = [
    ReserveStock(sku="desk", order_id=ORDER, quantity=1),
    ReserveStock(sku="lamp", order_id=ORDER, quantity=3),
    ChargeAccount(account_id=ACCOUNT, order_id=ORDER, amount=money("100.00")),
    ShipOrder(order_id=ORDER),
    ConsumeReservation(sku="desk", order_id=ORDER),
    ConsumeReservation(sku="lamp", order_id=ORDER),
]


def test_lines_of_one_sku_are_summed_and_asked_for_in_the_order_of_the_skus() -> None:
    run = shop()
    run.deliver(ORDER)
    assert run.own(ORDER) == [STARTED]


def test_all_skus_are_asked_for_together_and_handed_over_together() -> None:
    run, asked = shop(), list[list[str]]()
    run.deliver(ORDER)
    while run.pending(ORDER):
        asked.append([ask.step for ask in run.pending(ORDER)])
        run.step(ORDER)
    assert asked == [
        ["reserve:desk", "reserve:lamp"],
        ["reserve:lamp"],
        ["charge"],
        ["ship"],
        ["consume:desk", "consume:lamp"],
        ["consume:lamp"],
    ]


def test_on_the_first_version_one_thing_is_asked_at_a_time() -> None:
    run = shop(version=first)
    run.deliver(ORDER)
    while run.pending(ORDER):
        assert len(run.pending(ORDER)) == 1
        run.step(ORDER)
    assert run.asked == ASKED


def test_this_is_asked_for() -> None:
    run = shop()
    run.run(ORDER)
    assert run.asked == ASKED


def test_each_answer_is_stored_in_the_words_of_fulfilment() -> None:
    run = shop()
    run.run(ORDER)
    assert run.own(ORDER) == [
        STARTED,
        GoodsSecured(order_id=ORDER, sku="desk"),
        GoodsSecured(order_id=ORDER, sku="lamp"),
        PaymentCollected(order_id=ORDER, charge_id=CHARGE_ID),
        DispatchAgreed(order_id=ORDER),
        GoodsHandedOver(order_id=ORDER, sku="desk"),
        GoodsHandedOver(order_id=ORDER, sku="lamp"),
        FulfilmentCompleted(order_id=ORDER),
    ]
    assert run.streams[f"order-{ORDER}"][-1] == OrderShipped(order_id=ORDER)


def test_shipping_is_recorded_before_any_stock_is_consumed() -> None:
    run = shop()
    run.deliver(ORDER)
    while not isinstance(run.pending(ORDER)[0].command, ConsumeReservation):
        run.step(ORDER)
    assert run.streams[f"order-{ORDER}"][-1] == OrderShipped(order_id=ORDER)


def test_a_total_of_zero_charges_nothing() -> None:
    run = shop(balance="0.00", free=True)
    run.run(ORDER)
    assert run.own(ORDER)[1:] == [
        GoodsSecured(order_id=ORDER, sku="desk"),
        GoodsSecured(order_id=ORDER, sku="lamp"),
        PaymentWaived(order_id=ORDER),
        DispatchAgreed(order_id=ORDER),
        GoodsHandedOver(order_id=ORDER, sku="desk"),
        GoodsHandedOver(order_id=ORDER, sku="lamp"),
        FulfilmentCompleted(order_id=ORDER),
    ]
