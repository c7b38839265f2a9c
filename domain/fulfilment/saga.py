"""Fulfilment of a confirmed order: its goods are secured, it is paid, shipped and handed over; or all is undone.

This is version 2, which asks for all SKUs of an order together; beside it stands the first, on which older orders end.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from domain.fulfilment import first_version
from domain.fulfilment.events import (
    DispatchAgreed,
    DispatchForbidden,
    FulfilmentAbandoned,
    FulfilmentCompleted,
    FulfilmentEvent,
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
from domain.fulfilment.state import Fulfilment, NotStarted, State, evolve, undoable
from domain.fulfilment.steps import (
    ROWS_FROM_SHIPPING,
    UNDOING,
    charge,
    charge_row,
    consume,
    facts_of,
    reserve,
    retry,
    ship,
    undo,
)
from domain.message import Command, Event
from domain.ordering.events import OrderConfirmed
from domain.ordering.order import RequestCancellation
from domain.reply import last_id_of
from domain.saga import Ask, Saga
from domain.saga_end import Ending
from domain.saga_steps import Outcome, Step
from domain.stock.stock import ReservationDeclined, ReserveStock, StockReserved


def observe(event: OrderConfirmed, state: State) -> list[FulfilmentEvent]:
    """Starts the fulfilment once: one reservation per SKU, in the order of the SKUs."""
    if isinstance(state, Fulfilment):
        return []
    needed: Counter[str] = Counter()
    for line in event.lines:
        needed[line.sku] += line.quantity
    reservations = tuple(Reservation(sku=sku, quantity=quantity) for sku, quantity in sorted(needed.items()))
    return [
        FulfilmentStarted(
            order_id=event.order_id,
            account_id=event.account_id,
            total=event.total,
            reservations=reservations,
            owner_id=event.owner_id,
        )
    ]


def pending(state: State) -> list[Ask]:
    """All reservations together, and all hand-overs; the rest one after the other."""
    return list(_asks(state))


def _asks(state: State) -> Iterator[Ask]:
    """A reservation is asked for until it is answered, also after another was declined: it may have been made."""
    if isinstance(state, NotStarted) or state.ended or state.handed_over:
        return
    if state.unanswered:
        yield from (reserve(state, need) for need in state.unanswered)
    elif state.cause is not None:
        yield undo(state, state.cause)
    elif state.dispatched:
        yield from (consume(state, sku) for sku in state.secured)
    else:
        yield charge(state) if state.payment == "due" else ship(state)


def on_reply(ask: Ask, reply: Sequence[Event], state: State) -> list[FulfilmentEvent]:
    """What a reply means to the fulfilment; nothing, if it was handled before. Raises `UnexpectedAnswer`."""
    if not isinstance(state, Fulfilment) or ask not in _asks(state):
        return []
    return [_with_its_charge(fact, reply) for fact in facts_of(ask, reply, state)]


def _with_its_charge(fact: FulfilmentEvent, reply: Sequence[Event]) -> FulfilmentEvent:
    if not isinstance(fact, PaymentTaken):
        return fact
    return PaymentCollected(order_id=fact.order_id, charge_id=last_id_of(reply))


steps: Final = (
    Step(
        "reserve",
        ReserveStock,
        {
            StockReserved: Outcome(GoodsSecured, ("reserve", "charge", "release")),
            ReservationDeclined: Outcome(GoodsMissing, ("reserve", *UNDOING[1:])),
        },
        undo="release",
    ),
    charge_row(PaymentCollected),
    *ROWS_FROM_SHIPPING,
)


def on_compensate(why: str, state: State) -> list[FulfilmentEvent]:
    """From here on it is undone, unless that has begun."""
    if isinstance(state, NotStarted) or state.cause is not None:
        return []
    return [FulfilmentRecalled(order_id=state.order.order_id, reason=why)]


def cancels(why: str, state: State) -> Command:
    """What the customer would ask of the order, which decides whether it is too late."""
    assert isinstance(state, Fulfilment), "only what has begun is cancelled"
    return RequestCancellation(order_id=state.order.order_id, reason=why)


first: Final = Saga[State, FulfilmentEvent](
    category="fulfilment",
    events=(
        FulfilmentStarted,
        GoodsSecured,
        GoodsMissing,
        PaymentTaken,
        PaymentCollected,
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
    pending=first_version.pending,
    on_reply=first_version.on_reply,
    ending=Ending({FulfilmentCompleted: "completed", FulfilmentAbandoned: "compensated"}),
    steps=first_version.steps,
    retry=retry,
    undoable=undoable,
    on_compensate=on_compensate,
    cancels=cancels,
)
saga: Final = replace(first, version=2, pending=pending, on_reply=on_reply, steps=steps, former=(first,))
