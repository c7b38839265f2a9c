"""The table of the steps of a fulfilment."""

from collections.abc import Sequence
from typing import Any, Final

from domain.accounts.account import (
    AccountCharged,
    ChargeAccount,
    ChargeDeclined,
    ChargeRefunded,
    NothingToCharge,
    RefundCharge,
)
from domain.fulfilment.events import (
    DispatchAgreed,
    DispatchForbidden,
    FulfilmentAbandoned,
    FulfilmentEvent,
    GoodsHandedOver,
    GoodsMissing,
    GoodsReturned,
    GoodsSecured,
    PaymentFailed,
    PaymentReturned,
    PaymentTaken,
    PaymentWaived,
)
from domain.ordering.events import OrderCancelled, OrderShipped, ShipmentDeclined
from domain.ordering.order import CancelOrder, ShipOrder
from domain.saga_steps import END, Outcome, Step
from domain.stock.stock import (
    ConsumeReservation,
    ReleaseReservation,
    ReservationConsumed,
    ReservationDeclined,
    ReservationReleased,
    ReserveStock,
    StockReserved,
)


def refunded_by_hand(command: RefundCharge, state: Any) -> Sequence[FulfilmentEvent]:
    """The money was given back in another way."""
    return [PaymentReturned(order_id=command.order_id)]


def released_by_hand(command: ReleaseReservation, state: Any) -> Sequence[FulfilmentEvent]:
    """The goods are not held any more, or the stock was put right in another way."""
    return [GoodsReturned(order_id=command.order_id, sku=command.sku)]


_UNDOING: Final = ("refund", "release", "cancel")
steps: Final = (
    Step(
        "reserve",
        ReserveStock,
        {
            StockReserved: Outcome(GoodsSecured, ("reserve", "charge")),
            ReservationDeclined: Outcome(GoodsMissing, _UNDOING[1:]),
        },
        undo="release",
    ),
    Step(
        "charge",
        ChargeAccount,
        {
            AccountCharged: Outcome(PaymentTaken, ("ship",)),
            NothingToCharge: Outcome(PaymentWaived, ("ship",)),
            ChargeDeclined: Outcome(PaymentFailed, ("release",)),
        },
        undo="refund",
    ),
    Step(
        "ship",
        ShipOrder,
        {
            OrderShipped: Outcome(DispatchAgreed, ("consume",)),
            ShipmentDeclined: Outcome(DispatchForbidden, _UNDOING[:2]),
        },
    ),
    Step("consume", ConsumeReservation, {ReservationConsumed: Outcome(GoodsHandedOver, ("consume", END))}),
    Step(
        "refund",
        RefundCharge,
        {ChargeRefunded: Outcome(PaymentReturned, ("release",))},
        skip_leaves=refunded_by_hand,
    ),
    Step(
        "release",
        ReleaseReservation,
        {ReservationReleased: Outcome(GoodsReturned, _UNDOING[1:])},
        skip_leaves=released_by_hand,
    ),
    Step("cancel", CancelOrder, {OrderCancelled: Outcome(FulfilmentAbandoned, (END,))}),
)
"""What is asked, in this order; undoing goes from the last step back, and the order is cancelled at the end."""
