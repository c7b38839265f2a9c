"""The steps of a fulfilment: what each asks for, and what the answers mean. In which order, its versions say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, TypeAlias, assert_never

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
from domain.fulfilment.state import Fulfilment, evolve
from domain.message import Command, Event
from domain.ordering.events import OrderCancelled, OrderShipped, ShipmentDeclined
from domain.ordering.order import CancelOrder, ShipOrder
from domain.retry_rule import RetryRule
from domain.saga import Ask
from domain.saga_steps import END, Outcome, Step, kind_of
from domain.stock.stock import (
    ConsumeReservation,
    ReleaseReservation,
    ReservationConsumed,
    ReservationDeclined,
    ReservationReleased,
    ReserveStock,
    StockReserved,
)

FulfilmentCommand: TypeAlias = (
    ReserveStock | ChargeAccount | ShipOrder | ConsumeReservation | RefundCharge | ReleaseReservation | CancelOrder
)


def reserve(state: Fulfilment, need: Reservation) -> Ask:
    command = ReserveStock(sku=need.sku, order_id=state.order.order_id, quantity=need.quantity)
    return Ask(f"reserve:{need.sku}", command)


def charge(state: Fulfilment) -> Ask:
    order = state.order
    command = ChargeAccount(
        account_id=order.account_id, order_id=order.order_id, amount=order.total, owner_id=order.owner_id
    )
    return Ask("charge", command)


def ship(state: Fulfilment) -> Ask:
    return Ask("ship", ShipOrder(order_id=state.order.order_id))


def consume(state: Fulfilment, sku: str) -> Ask:
    return Ask(f"consume:{sku}", ConsumeReservation(sku=sku, order_id=state.order.order_id))


def undo(state: Fulfilment, cause: str) -> Ask:
    """What is to be undone next: the last step first; the order is cancelled when all others are undone."""
    order = state.order
    if state.payment == "taken":
        account_id, charge_id = order.account_id, state.charge_id
        refund = RefundCharge(account_id=account_id, order_id=order.order_id, amount=order.total, charge_id=charge_id)
        return Ask("refund", refund)
    if state.secured:
        sku = max(state.secured)
        return Ask(f"release:{sku}", ReleaseReservation(sku=sku, order_id=order.order_id))
    return Ask("cancel", CancelOrder(order_id=order.order_id, reason=cause))


def refunded_by_hand(command: RefundCharge, state: Fulfilment) -> Sequence[FulfilmentEvent]:
    """The money was given back in another way."""
    return [PaymentReturned(order_id=command.order_id)]


def released_by_hand(command: ReleaseReservation, state: Fulfilment) -> Sequence[FulfilmentEvent]:
    """The goods are not held any more, or the stock was put right in another way."""
    return [GoodsReturned(order_id=command.order_id, sku=command.sku)]


UNDOING: Final = ("refund", "release", "cancel")


def charge_row(taken: type[Event]) -> Step:
    """Of the table of steps; `taken` is what a version notes of a charge."""
    answers = {
        AccountCharged: Outcome(taken, ("ship",)),
        NothingToCharge: Outcome(PaymentWaived, ("ship",)),
        ChargeDeclined: Outcome(PaymentFailed, ("release",)),
    }
    return Step("charge", ChargeAccount, answers, undo="refund")


ROWS_FROM_SHIPPING: Final = (
    Step(
        "ship",
        ShipOrder,
        {
            OrderShipped: Outcome(DispatchAgreed, ("consume",), no_return=True),
            ShipmentDeclined: Outcome(DispatchForbidden, UNDOING[:2]),
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
        {ReservationReleased: Outcome(GoodsReturned, UNDOING[1:])},
        skip_leaves=released_by_hand,
    ),
    Step("cancel", CancelOrder, {OrderCancelled: Outcome(FulfilmentAbandoned, (END,))}),
)
"""Undoing goes from the last step back, and the order is cancelled at the end."""

_PERSISTENT: Final = RetryRule(times=8, exhausted="stand")


def retry(step: str) -> RetryRule | None:
    """An undoing that is refused is tried for some ten seconds, then it stands until somebody has it go on."""
    return _PERSISTENT if kind_of(step) in UNDOING else None


def facts_of(ask: Ask, reply: Sequence[Event], state: Fulfilment) -> list[FulfilmentEvent]:
    """What the reply to a pending ask means to the fulfilment. Raises `UnexpectedAnswer`."""
    translate = _translations(ask.command).get(type(reply[0])) if len(reply) == 1 else None  # type: ignore[arg-type]  # one of those above
    if translate is None or not _answers(ask.command, reply[0]):
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
