"""An order is fulfilled step by step: each SKU reserved, the account charged, the order shipped, the stock consumed."""

from domain.accounts.account import ChargeAccount
from domain.fulfilment.events import (
    DispatchAgreed,
    FulfilmentCompleted,
    GoodsHandedOver,
    GoodsSecured,
    PaymentTaken,
    PaymentWaived,
)
from domain.ordering.events import OrderShipped
from domain.ordering.order import ShipOrder
from domain.stock.stock import ConsumeReservation, ReserveStock
from tests.domain.fulfilment.shops import STARTED, shop
from tests.domain.values import ACCOUNT, ORDER, money


def test_lines_of_one_sku_are_summed_and_asked_for_in_the_order_of_the_skus() -> None:
    run = shop()
    run.deliver(ORDER)
    assert run.own(ORDER) == [STARTED]


def test_one_thing_is_asked_at_a_time_in_this_order() -> None:
    run = shop()
    run.run(ORDER)
    assert run.asked == [
        ReserveStock(sku="desk", order_id=ORDER, quantity=1),
        ReserveStock(sku="lamp", order_id=ORDER, quantity=3),
        ChargeAccount(account_id=ACCOUNT, order_id=ORDER, amount=money("100.00")),
        ShipOrder(order_id=ORDER),
        ConsumeReservation(sku="desk", order_id=ORDER),
        ConsumeReservation(sku="lamp", order_id=ORDER),
    ]


def test_each_answer_is_stored_in_the_words_of_fulfilment() -> None:
    run = shop()
    run.run(ORDER)
    assert run.own(ORDER) == [
        STARTED,
        GoodsSecured(order_id=ORDER, sku="desk"),
        GoodsSecured(order_id=ORDER, sku="lamp"),
        PaymentTaken(order_id=ORDER),
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
