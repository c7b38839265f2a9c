"""Fulfilments that lead through all that can happen to one: what came to them, in order, from the real deciders."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from domain.engine_events import SagaUndoOrdered
from domain.fulfilment.saga import saga
from domain.message import Event
from domain.ordering.events import OrderConfirmed
from domain.ordering.order import RequestCancellation
from tests.domain.fulfilment.shops import shop
from tests.domain.fulfilment.simulation import Shop, Version
from tests.domain.values import ORDER

ORDERED: Final = SagaUndoOrdered(why="sold by mistake")
History: TypeAlias = list[tuple[str | None, Sequence[Event]]]
"""Messages and orders to undo, whose step is None, and replies to steps."""
Open: TypeAlias = Callable[..., Shop]
_SHOPS: Final[dict[str, Open]] = {
    "shipped": shop,
    "free": partial(shop, free=True),
    "the first SKU is missing": partial(shop, desks=0),
    "the second SKU is missing": partial(shop, lamps=2),
    "both SKUs are missing": partial(shop, desks=0, lamps=0),
    "too little money": partial(shop, balance="99.99"),
    "no account": partial(shop, balance=None),
}
_CANCELLED: Final[dict[str, Open]] = {"cancelled": shop, "free and cancelled": _SHOPS["free"]}


def fulfilments(version: Version = saga) -> dict[str, History]:
    """Each from the confirmation to its end, by its name."""
    told = {name: _history(begin(version=version)) for name, begin in _SHOPS.items()}
    told["shipped, heard from the last on"] = _history(shop(version=version), which=-1)
    for name, begin in _CANCELLED.items():
        for steps in (0, 3):
            told[f"{name} after {steps} steps"] = _history(begin(version=version), cancelled_after=steps)
    for steps in (1, 3):
        told[f"recalled after {steps} steps"] = _history(shop(version=version), recalled_after=steps)
    return told


def _history(
    run: Shop, *, cancelled_after: int | None = None, recalled_after: int | None = None, which: int = 0
) -> History:
    """The confirmation comes twice, the first reply and an order to undo too.

    Of what is pending together that one is heard first.
    """
    [confirmed] = [event for event in run.streams[f"order-{ORDER}"] if isinstance(event, OrderConfirmed)]
    told: History = [(None, [confirmed])]
    run.deliver(ORDER)
    for number in range(100):
        if number == cancelled_after:
            run.send(RequestCancellation(order_id=ORDER, reason="too late"))
        if number == recalled_after:
            run.recall(ORDER, ORDERED.why)
            told += [(None, [ORDERED]), (None, [ORDERED])]
        asked = run.ask(ORDER, which=which)
        if asked is None:
            return told
        ask, answer = asked
        run.reply(ORDER, ask, answer)
        told += [(ask.step, answer)] if number else [(ask.step, answer), (None, [confirmed]), (ask.step, answer)]
    raise AssertionError(f"it does not end: {run.own(ORDER)[-3:]}")
