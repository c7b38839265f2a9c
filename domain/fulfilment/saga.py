"""Fulfilment of a confirmed order: its goods are secured, it is paid, shipped and handed over; or all is undone."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
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
    FulfilmentRecalled,
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
from domain.fulfilment.steps import steps
from domain.message import Command, Event
from domain.ordering.events import OrderCancelled, OrderConfirmed, OrderShipped, ShipmentDeclined
from domain.ordering.order import CancelOrder, RequestCancellation, ShipOrder
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
    """No order was confirmed yet."""


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """The order and its progress. `secured` are the SKUs reserved now, `cause` is why it is undone."""

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
        case GoodsMissing() | PaymentFailed() | DispatchForbidden() | FulfilmentRecalled():
            return replace(state, cause=event.reason)
        case GoodsReturned() | GoodsHandedOver():
            return replace(state, secured=tuple(sku for sku in state.secured if sku != event.sku))
        case FulfilmentCompleted() | FulfilmentAbandoned():
            return replace(state, ended=True)
        case _:
            assert_never(event)


def observe(event: OrderConfirmed, state: NotStarted | Fulfilment) -> list[FulfilmentEvent]:
    """Starts the fulfilment once: one reservation per SKU, in the order of the SKUs."""
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
    """At most one command: all before it are answered."""
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
    """Undoes the last step first; the order is cancelled when all others are undone."""
    order = state.order
    if state.payment == "taken":
        return "refund", RefundCharge(account_id=order.account_id, order_id=order.order_id, amount=order.total)
    if state.secured:
        sku = state.secured[-1]
        return f"release:{sku}", ReleaseReservation(sku=sku, order_id=order.order_id)
    return "cancel", CancelOrder(order_id=order.order_id, reason=cause)


def on_reply(ask: Ask, reply: Sequence[Event], state: NotStarted | Fulfilment) -> list[FulfilmentEvent]:
    """What a reply means to the fulfilment; nothing, if it was handled before. Raises `UnexpectedAnswer`."""
    step = _next(state)
    if step is None or ask != Ask(*step):
        return []
    _, command = step
    translate = _translations(command).get(type(reply[0])) if len(reply) == 1 else None
    if translate is None or not _answers(command, reply[0]):
        raise UnexpectedAnswer("fulfilment", ask.step, [event.stored_name for event in reply])
    progress = translate(reply[0])
    after = evolve(state, progress)
    completed = isinstance(after, Fulfilment) and after.handed_over
    return [progress, FulfilmentCompleted(order_id=progress.order_id)] if completed else [progress]


def _translations(command: FulfilmentCommand) -> Mapping[type[Event], Callable[[Any], FulfilmentProgress]]:
    """The possible replies to a command, each with its translation into an event of the fulfilment."""
    match command:
        case ReserveStock():
            return {
                StockReserved: lambda reply: GoodsSecured(order_id=reply.order_id, sku=reply.sku),
                ReservationDeclined: lambda reply: GoodsMissing(order_id=reply.order_id, sku=reply.sku),
            }
        case ChargeAccount():
            return {
                AccountCharged: lambda reply: PaymentTaken(order_id=reply.order_id),
                NothingToCharge: lambda reply: PaymentWaived(order_id=reply.order_id),
                ChargeDeclined: lambda reply: PaymentFailed(order_id=reply.order_id, reason=reply.reason),
            }
        case ShipOrder():
            return {
                OrderShipped: lambda reply: DispatchAgreed(order_id=reply.order_id),
                ShipmentDeclined: lambda reply: DispatchForbidden(order_id=reply.order_id, reason=reply.reason),
            }
        case ConsumeReservation():
            return {ReservationConsumed: lambda reply: GoodsHandedOver(order_id=reply.order_id, sku=reply.sku)}
        case RefundCharge():
            return {ChargeRefunded: lambda reply: PaymentReturned(order_id=reply.order_id)}
        case ReleaseReservation():
            return {ReservationReleased: lambda reply: GoodsReturned(order_id=reply.order_id, sku=reply.sku)}
        case CancelOrder():
            return {OrderCancelled: lambda reply: FulfilmentAbandoned(order_id=reply.order_id, reason=reply.reason)}
        case _:
            assert_never(command)


def _answers(command: Command, reply: Event) -> bool:
    """Whether both concern the same: all fields they share are equal, but for the reason, which is the target's own."""
    shared = type(command).model_fields.keys() & {field.name for field in fields(reply)} - {"reason"}
    return all(getattr(command, name) == getattr(reply, name) for name in shared)


def undoable(state: NotStarted | Fulfilment) -> bool:
    """Once the order is shipped there is no way back."""
    return isinstance(state, Fulfilment) and not state.dispatched and not state.ended


def on_compensate(why: str, state: NotStarted | Fulfilment) -> list[FulfilmentEvent]:
    """From here on it is undone, unless that has begun."""
    if isinstance(state, NotStarted) or state.cause is not None:
        return []
    return [FulfilmentRecalled(order_id=state.order.order_id, reason=why)]


def cancels(why: str, state: NotStarted | Fulfilment) -> Command:
    """What the customer would ask of the order, which decides whether it is too late."""
    assert isinstance(state, Fulfilment), "only what has begun is cancelled"
    return RequestCancellation(order_id=state.order.order_id, reason=why)


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
        FulfilmentRecalled,
    ),
    initial=NotStarted(),
    evolve=evolve,
    reacts_to=(OrderConfirmed,),
    begins="beginning",
    identify=lambda event: event.order_id,
    observe=observe,
    pending=pending,
    on_reply=on_reply,
    ends=(FulfilmentCompleted, FulfilmentAbandoned),
    steps=steps,
    undoable=undoable,
    on_compensate=on_compensate,
    cancels=cancels,
)
