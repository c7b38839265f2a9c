"""Fulfilments that lead through all that can happen to one: what came to them, in order, from the real deciders."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from domain.engine_events import SagaUndoOrdered
from domain.message import Event
from domain.ordering.events import OrderConfirmed
from domain.ordering.order import RequestCancellation
from tests.domain.fulfilment.shops import shop
from tests.domain.fulfilment.simulation import Shop
from tests.domain.values import ORDER

ORDERED: Final = SagaUndoOrdered(why="sold by mistake")
History: TypeAlias = list[tuple[str | None, Sequence[Event]]]
"""Messages and orders to undo, whose step is None, and replies to steps."""
_SHOPS: Final[dict[str, Callable[[], Shop]]] = {
    "shipped": shop,
    "free": lambda: shop(free=True),
    "the first SKU is missing": lambda: shop(desks=0),
    "the second SKU is missing": lambda: shop(lamps=2),
    "too little money": lambda: shop(balance="99.99"),
    "no account": lambda: shop(balance=None),
}
_CANCELLED: Final[dict[str, Callable[[], Shop]]] = {"cancelled": shop, "free and cancelled": _SHOPS["free"]}


def fulfilments() -> dict[str, History]:
    """Each from the confirmation to its end, by its name."""
    told = {name: _history(begin()) for name, begin in _SHOPS.items()}
    for name, begin in _CANCELLED.items():
        for steps in (0, 3):
            told[f"{name} after {steps} steps"] = _history(begin(), cancelled_after=steps)
    for steps in (1, 3):
        told[f"recalled after {steps} steps"] = _history(shop(), recalled_after=steps)
    return told


def _history(run: Shop, *, cancelled_after: int | None = None, recalled_after: int | None = None) -> History:
    """The confirmation comes twice, and the first reply too; an order to undo comes twice."""
    [confirmed] = [event for event in run.streams[f"order-{ORDER}"] if isinstance(event, OrderConfirmed)]
    told: History = [(None, [confirmed])]
    run.deliver(ORDER)
    for number in range(100):
        if number == cancelled_after:
            run.send(RequestCancellation(order_id=ORDER, reason="too late"))
        if number == recalled_after:
            run.recall(ORDER, ORDERED.why)
            told += [(None, [ORDERED]), (None, [ORDERED])]
        asked = run.ask(ORDER)
        if asked is None:
            return told
        ask, answer = asked
        run.reply(ORDER, ask, answer)
        told += [(ask.step, answer)] if number else [(ask.step, answer), (None, [confirmed]), (ask.step, answer)]
    raise AssertionError(f"it does not end: {run.own(ORDER)[-3:]}")
