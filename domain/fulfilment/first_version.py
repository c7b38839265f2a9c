"""Version 1 of the fulfilment: one thing after the other, each SKU too. Orders that began on it end on it."""

from collections.abc import Sequence
from typing import Final

from domain.fulfilment.events import FulfilmentEvent, GoodsMissing, GoodsSecured, PaymentTaken
from domain.fulfilment.state import Fulfilment, NotStarted, State
from domain.fulfilment.steps import (
    ROWS_FROM_SHIPPING,
    UNDOING,
    charge,
    charge_row,
    consume,
    facts_of,
    reserve,
    ship,
    undo,
)
from domain.message import Event
from domain.saga import Ask
from domain.saga_steps import Outcome, Step
from domain.stock.stock import ReservationDeclined, ReserveStock, StockReserved


def pending(state: State) -> list[Ask]:
    """At most one command: all before it are answered."""
    ask = _next(state)
    return [] if ask is None else [ask]


def _next(state: State) -> Ask | None:
    if isinstance(state, NotStarted) or state.ended or state.handed_over:
        return None
    if state.cause is not None:
        return undo(state, state.cause)
    if state.dispatched:
        return consume(state, state.secured[0])
    if state.unanswered:
        return reserve(state, state.unanswered[0])
    return charge(state) if state.payment == "due" else ship(state)


def on_reply(ask: Ask, reply: Sequence[Event], state: State) -> list[FulfilmentEvent]:
    """What a reply means to the fulfilment; nothing, if it was handled before. Raises `UnexpectedAnswer`."""
    return facts_of(ask, reply, state) if isinstance(state, Fulfilment) and ask == _next(state) else []


steps: Final = (
    Step(
        "reserve",
        ReserveStock,
        {
            StockReserved: Outcome(GoodsSecured, ("reserve", "charge")),
            ReservationDeclined: Outcome(GoodsMissing, UNDOING[1:]),
        },
        undo="release",
    ),
    charge_row(PaymentTaken),
    *ROWS_FROM_SHIPPING,
)
