"""Fulfilment of a confirmed order: its goods are secured, it is paid, shipped and handed over; or all is undone."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, assert_never

from domain.accounts.account import (
    AccountCharged,
    ChargeAccount,
    ChargeDeclined,
    ChargeRefunded,
    NothingToCharge,
    RefundCharge,
)
from domain.errors import UnexpectedAnswer
from domain.fulfilment.events import (
    DispatchAgreed,
    DispatchForbidden,
    FulfilmentAbandoned,
    FulfilmentCompleted,
    FulfilmentEvent,
    FulfilmentProgress,
    FulfilmentStarted,
    GoodsHandedOver,
    GoodsMissing,
    GoodsReturned,
    GoodsSecured,
    PaymentFailed,
    PaymentReturned,
    PaymentTaken,
    PaymentWaived,
    Reservation,
)
from domain.message import Command, Event
from domain.ordering.events import OrderCancelled, OrderConfirmed, OrderShipped, ShipmentDeclined
from domain.ordering.order import CancelOrder, ShipOrder
from domain.saga import Ask, Saga
from domain.stock.stock import (
    ConsumeReservation,
    ReleaseReservation,
    ReservationConsumed,
    ReservationDeclined,
    ReservationReleased,
    ReserveStock,
    StockReserved,
)


@dataclass(frozen=True, slots=True)
class NotStarted:
    """No confirmed order has been seen yet."""


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """What the order needs and how far it has come. `secured` are the SKUs held now, `cause` why all is undone."""

    order: FulfilmentStarted
    secured: tuple[str, ...] = ()
    payment: Literal["due", "taken", "settled"] = "due"
    dispatched: bool = False
    cause: str | None = None
    ended: bool = False

    @property
    def handed_over(self) -> bool:
        return self.dispatched and not self.secured


def evolve(state: NotStarted | Fulfilment, event: FulfilmentEvent) -> NotStarted | Fulfilment:
    if isinstance(event, FulfilmentStarted):
        return Fulfilment(order=event)
    return state if isinstance(state, NotStarted) else _evolve(state, event)


def _evolve(state: Fulfilment, event: FulfilmentProgress) -> Fulfilment:
    match event:
        case GoodsSecured():
            return replace(state, secured=(*state.secured, event.sku))
        case PaymentTaken():
            return replace(state, payment="taken")
        case PaymentWaived() | PaymentReturned():
            return replace(state, payment="settled")
        case DispatchAgreed():
            return replace(state, dispatched=True)
        case GoodsMissing() | PaymentFailed() | DispatchForbidden():
            return replace(state, cause=event.reason)
        case GoodsReturned() | GoodsHandedOver():
            return replace(state, secured=tuple(sku for sku in state.secured if sku != event.sku))
        case FulfilmentCompleted() | FulfilmentAbandoned():
            return replace(state, ended=True)
        case _:
            assert_never(event)


def observe(event: OrderConfirmed, state: NotStarted | Fulfilment) -> list[FulfilmentEvent]:
    """The beginning, once: lines of one SKU summed, in the order of the SKUs."""
    if isinstance(state, Fulfilment):
        return []
    needed: Counter[str] = Counter()
    for line in event.lines:
        needed[line.sku] += line.quantity
    reservations = tuple(Reservation(sku=sku, quantity=quantity) for sku, quantity in sorted(needed.items()))
    return [
        FulfilmentStarted(
            order_id=event.order_id, account_id=event.account_id, total=event.total, reservations=reservations
        )
    ]


FulfilmentCommand: TypeAlias = (
    ReserveStock | ChargeAccount | ShipOrder | ConsumeReservation | RefundCharge | ReleaseReservation | CancelOrder
)
_Step: TypeAlias = tuple[str, FulfilmentCommand]


def pending(state: NotStarted | Fulfilment) -> list[Ask]:
    """The one thing to be asked for now, if any: so that all before it is answered."""
    step = _next(state)
    return [] if step is None else [Ask(*step)]


def _next(state: NotStarted | Fulfilment) -> _Step | None:
    if isinstance(state, NotStarted) or state.ended or state.handed_over:
        return None
    if state.cause is not None:
        return _undo(state, state.cause)
    return _hand_over(state) if state.dispatched else _go_on(state)


def _go_on(state: Fulfilment) -> _Step:
    order = state.order
    if len(state.secured) < len(order.reservations):
        need = order.reservations[len(state.secured)]
        return f"reserve:{need.sku}", ReserveStock(sku=need.sku, order_id=order.order_id, quantity=need.quantity)
    if state.payment == "due":
        return "charge", ChargeAccount(account_id=order.account_id, order_id=order.order_id, amount=order.total)
    return "ship", ShipOrder(order_id=order.order_id)


def _hand_over(state: Fulfilment) -> _Step:
    sku = state.secured[0]
    return f"consume:{sku}", ConsumeReservation(sku=sku, order_id=state.order.order_id)


def _undo(state: Fulfilment, cause: str) -> _Step:
    """The last step first; the order is cancelled when nothing is left of the others."""
    order = state.order
    if state.payment == "taken":
        return "refund", RefundCharge(account_id=order.account_id, order_id=order.order_id, amount=order.total)
    if state.secured:
        sku = state.secured[-1]
        return f"release:{sku}", ReleaseReservation(sku=sku, order_id=order.order_id)
    return "cancel", CancelOrder(order_id=order.order_id, reason=cause)


def hear(ask: Ask, answer: Sequence[Event], state: NotStarted | Fulfilment) -> list[FulfilmentEvent]:
    """The answer in the fulfilment's own words; nothing, if it was heard before. Raises `UnexpectedAnswer`."""
    step = _next(state)
    if step is None or ask != Ask(*step):
        return []
    _, command = step
    fact = _facts(command).get(type(answer[0])) if len(answer) == 1 else None
    if fact is None or not _answers(command, answer[0]):
        raise UnexpectedAnswer("fulfilment", ask.step, [event.stored_name for event in answer])
    heard = fact(answer[0])
    after = evolve(state, heard)
    completed = isinstance(after, Fulfilment) and after.handed_over
    return [heard, FulfilmentCompleted(order_id=heard.order_id)] if completed else [heard]


def _facts(command: FulfilmentCommand) -> Mapping[type[Event], Callable[[Any], FulfilmentProgress]]:
    """The possible answers to a command, each with what it means to the fulfilment."""
    match command:
        case ReserveStock():
            return {
                StockReserved: lambda answer: GoodsSecured(order_id=answer.order_id, sku=answer.sku),
                ReservationDeclined: lambda answer: GoodsMissing(order_id=answer.order_id, sku=answer.sku),
            }
        case ChargeAccount():
            return {
                AccountCharged: lambda answer: PaymentTaken(order_id=answer.order_id),
                NothingToCharge: lambda answer: PaymentWaived(order_id=answer.order_id),
                ChargeDeclined: lambda answer: PaymentFailed(order_id=answer.order_id, reason=answer.reason),
            }
        case ShipOrder():
            return {
                OrderShipped: lambda answer: DispatchAgreed(order_id=answer.order_id),
                ShipmentDeclined: lambda answer: DispatchForbidden(order_id=answer.order_id, reason=answer.reason),
            }
        case ConsumeReservation():
            return {ReservationConsumed: lambda answer: GoodsHandedOver(order_id=answer.order_id, sku=answer.sku)}
        case RefundCharge():
            return {ChargeRefunded: lambda answer: PaymentReturned(order_id=answer.order_id)}
        case ReleaseReservation():
            return {ReservationReleased: lambda answer: GoodsReturned(order_id=answer.order_id, sku=answer.sku)}
        case CancelOrder():
            return {OrderCancelled: lambda answer: FulfilmentAbandoned(order_id=answer.order_id, reason=answer.reason)}
        case _:
            assert_never(command)


def _answers(command: Command, answer: Event) -> bool:
    """Whether they speak of the same: all members they share are equal, but the reason, which is the answerer's."""
    shared = type(command).model_fields.keys() & type(answer).model_fields.keys() - {"reason"}
    return all(getattr(command, name) == getattr(answer, name) for name in shared)


saga: Final = Saga[NotStarted | Fulfilment, FulfilmentEvent](
    category="fulfilment",
    events=(
        FulfilmentStarted,
        GoodsSecured,
        GoodsMissing,
        PaymentTaken,
        PaymentWaived,
        PaymentFailed,
        DispatchAgreed,
        DispatchForbidden,
        GoodsHandedOver,
        FulfilmentCompleted,
        PaymentReturned,
        GoodsReturned,
        FulfilmentAbandoned,
    ),
    initial=NotStarted(),
    evolve=evolve,
    reacts_to=(OrderConfirmed,),
    identify=lambda event: event.order_id,
    observe=observe,
    pending=pending,
    hear=hear,
)
