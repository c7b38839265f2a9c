"""How far the fulfilment of an order is: folded in one way for all versions of the saga."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from domain.fulfilment.events import (
    DispatchAgreed,
    DispatchForbidden,
    FulfilmentAbandoned,
    FulfilmentCompleted,
    FulfilmentEvent,
    FulfilmentProgress,
    FulfilmentRecalled,
    FulfilmentStarted,
    GoodsHandedOver,
    GoodsMissing,
    GoodsReturned,
    GoodsSecured,
    PaymentCollected,
    PaymentFailed,
    PaymentReturned,
    PaymentTaken,
    PaymentWaived,
    Reservation,
)


@dataclass(frozen=True, slots=True)
class NotStarted:
    """No order was confirmed yet."""


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """The order and its progress.

    `unanswered` are the reservations of which nothing was heard yet, `secured` the SKUs reserved now, `charge_id` is
    the account's event that took the payment, and `cause` why all is undone: the first that was heard.
    """

    order: FulfilmentStarted
    unanswered: tuple[Reservation, ...] = ()
    secured: tuple[str, ...] = ()
    payment: Literal["due", "taken", "settled"] = "due"
    charge_id: str | None = None
    dispatched: bool = False
    cause: str | None = None
    ended: bool = False

    @property
    def handed_over(self) -> bool:
        return self.dispatched and not self.secured


State: TypeAlias = NotStarted | Fulfilment


def evolve(state: State, event: FulfilmentEvent) -> State:
    if isinstance(event, FulfilmentStarted):
        return Fulfilment(order=event, unanswered=event.reservations)
    return state if isinstance(state, NotStarted) else _evolve(state, event)


def _evolve(state: Fulfilment, event: FulfilmentProgress) -> Fulfilment:
    match event:
        case GoodsSecured() | GoodsMissing() | GoodsReturned() | GoodsHandedOver():
            return _with_goods(state, event)
        case PaymentTaken() | PaymentCollected() | PaymentWaived() | PaymentReturned():
            return _with_payment(state, event)
        case DispatchAgreed():
            return replace(state, dispatched=True)
        case PaymentFailed() | DispatchForbidden() | FulfilmentRecalled():
            return replace(state, cause=state.cause or event.reason)
        case FulfilmentCompleted() | FulfilmentAbandoned():
            return replace(state, ended=True)
        case _:
            assert_never(event)


def _with_goods(state: Fulfilment, event: GoodsSecured | GoodsMissing | GoodsReturned | GoodsHandedOver) -> Fulfilment:
    unanswered = tuple(each for each in state.unanswered if each.sku != event.sku)
    match event:
        case GoodsSecured():
            return replace(state, unanswered=unanswered, secured=(*state.secured, event.sku))
        case GoodsMissing():
            return replace(state, unanswered=unanswered, cause=state.cause or event.reason)
        case GoodsReturned() | GoodsHandedOver():
            return replace(state, secured=tuple(sku for sku in state.secured if sku != event.sku))
        case _:
            assert_never(event)


def _with_payment(
    state: Fulfilment, event: PaymentTaken | PaymentCollected | PaymentWaived | PaymentReturned
) -> Fulfilment:
    match event:
        case PaymentTaken():
            return replace(state, payment="taken")
        case PaymentCollected():
            return replace(state, payment="taken", charge_id=event.charge_id)
        case PaymentWaived() | PaymentReturned():
            return replace(state, payment="settled")
        case _:
            assert_never(event)


def undoable(state: State) -> bool:
    """Once the order is shipped there is no way back."""
    return isinstance(state, Fulfilment) and not state.dispatched and not state.ended
