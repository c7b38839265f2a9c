"""Whichever step fails, whenever the customer wants out, and whichever undoing fails: all is undone once, in order.

Stock and money are given back once, the order is cancelled once for the first cause, and nothing is dropped.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from domain.accounts.account import Account, AccountCharged, ChargeRefunded
from domain.accounts.account import decider as accounts
from domain.decider import Decider
from domain.errors import Rejected
from domain.fulfilment.events import DispatchForbidden, FulfilmentAbandoned, GoodsReturned
from domain.message import Command
from domain.ordering.events import OrderCancelled
from domain.stock.stock import ReservationReleased, Stock, StockReserved
from domain.stock.stock import decider as stocks
from infrastructure.eventstore.errors import ConcurrencyConflict, UnreadableEvent
from infrastructure.sagas.errors import StepRefused
from service.consumers import route as service_route
from tests.domain.values import money
from tests.infrastructure.commands.tally import connected
from tests.infrastructure.sagas.live_orders import LiveOrder, patient_handler, step_id

SHOPS: Final[Mapping[str, Mapping[str, Any]]] = {
    "nothing": {},
    "the first SKU": {"desks": 0},
    "the second SKU": {"lamps": 0},
    "both SKUs": {"desks": 0, "lamps": 0},
    "money": {"balance": "39.99"},
    "an account": {"balance": None},
}
RELEASES: Final = ("release:lamp", "release:desk")
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "nothing": ("reserve", "charge", "ship"),
    "the first SKU": ("reserve", "release:lamp", "cancel"),
    "the second SKU": ("reserve", "release:desk", "cancel"),
    "both SKUs": ("reserve", "cancel"),
    "money": ("reserve", "charge", *RELEASES, "cancel"),
    "an account": ("reserve", "charge", *RELEASES, "cancel"),
}
CAUSES: Final = dict.fromkeys(SHOPS, "out-of-stock") | {"money": "insufficient-funds", "an account": "account-unusable"}
ERRORS: Final[Mapping[str, Callable[[], Exception]]] = {
    "is refused": lambda: Rejected("closed", "It is closed."),
    "meets rivals": lambda: ConcurrencyConflict("the target", 10),
    "can't be read": lambda: UnreadableEvent("the target", 0, 0, "it is broken"),
}
AS_RAISED: Final = (StepRefused, ConcurrencyConflict, UnreadableEvent)


class Cut(Exception):
    """Where a test ends a worker."""


@dataclass(frozen=True)
class Case:
    """What is missing, before which step the customer wants out, and which undoing fails, how."""

    missing: str
    cancelled_before: str | None
    failing: str | None = None
    how: str | None = None

    @property
    def undone(self) -> tuple[str, ...]:
        """The steps of its undoing, in order."""
        if self.missing == "nothing":
            return ("refund", *RELEASES, "cancel")
        return tuple(step for step in STEPS[self.missing] if step not in {"reserve", "charge"})

    @property
    def ahead(self) -> tuple[str, ...]:
        """Those of them that come after the customer wants out."""
        before = self.cancelled_before
        return self.undone[self.undone.index(before) :] if before in self.undone else self.undone


def cases() -> list[Case]:
    """All there are; a customer who wants out of nothing else that fails does so before it is shipped."""
    plain = [
        Case(missing, step)
        for missing, steps in STEPS.items()
        for step in (*steps, *([] if missing == "nothing" else [None]))
    ]
    failing = [
        Case(each.missing, each.cancelled_before, step, how) for each in plain for step in each.ahead for how in ERRORS
    ]
    return [*plain, *failing]


class Interrupting:
    """The route of a worker that ends at the first step of a name, or for which that fails once."""

    def __init__(self, step: str, error: Exception) -> None:
        self._step, self._error, self._met = step, error, False

    def __call__(self, command: Command) -> Decider[Any, Any, Any]:
        if self._is_meant(command) and not self._met:
            self._met = self._step != "reserve"  # all of that step are asked together
            raise self._error
        return service_route(command)

    def _is_meant(self, command: Command) -> bool:
        kind, _, sku = self._step.partition(":")
        named = {"cancel": "CancelOrder", "ship": "ShipOrder"}.get(kind, kind)
        return type(command).__name__.casefold().startswith(named.casefold()) and sku in getattr(command, "sku", "")


async def undo(order: LiveOrder, case: Case) -> None:
    """Runs the case to its end, delivering the confirmation again after each failure."""
    message = await order.begin(**SHOPS[case.missing])
    if case.cancelled_before is not None:
        with pytest.raises(Cut):
            await order.coordinator(route=Interrupting(case.cancelled_before, Cut())).react(message)
        await order.cancel()
    if case.failing is not None and case.how is not None:
        with pytest.raises(AS_RAISED):
            await order.coordinator(route=Interrupting(case.failing, ERRORS[case.how]())).react(message)
    await order.coordinator().react(message)
    assert await order.coordinator().is_settled(message)


async def all_is_as_it_was(order: LiveOrder, case: Case) -> None:
    reason = CAUSES[case.missing] if case.cancelled_before is None else "too late"
    own = await order.story()
    assert own[-1] == FulfilmentAbandoned(order_id=order.id, reason=reason)
    returned = [event.sku for event in own if isinstance(event, GoodsReturned)]
    assert [f"release:{sku.partition('-')[0]}" for sku in returned] == [s for s in case.undone if s in RELEASES]
    told = await order.story(f"order-{order.id}")
    assert [event.reason for event in told if isinstance(event, OrderCancelled)] == [reason]
    assert told[-1] == OrderCancelled(order_id=order.id, reason=reason)
    await no_stock_is_held(order, case)
    await no_money_is_kept(order, case)


async def no_stock_is_held(order: LiveOrder, case: Case) -> None:
    held = {"desks": 1, "lamps": 3} | dict(SHOPS[case.missing])
    for stream, sku, number in zip(order.targets[2:], order.skus, (held["desks"], held["lamps"]), strict=True):
        told = await order.story(stream)
        assert stocks.fold(told) == Stock(registered=True, on_hand=number)  # type: ignore[arg-type]  # its own events
        done = [type(event) for event in told if isinstance(event, StockReserved | ReservationReleased)]
        assert done == ([StockReserved, ReservationReleased] if f"release:{sku[:4]}" in case.undone else [])


async def no_money_is_kept(order: LiveOrder, case: Case) -> None:
    """The refund names the charge, and its id is drawn from the fact since which it was to be asked for."""
    told = await order.recorded(f"account-{order.account_id}")
    charges = [each for each in told if isinstance(each.event, AccountCharged)]
    refunds = [each for each in told if isinstance(each.event, ChargeRefunded)]
    assert [each.event.charge_id for each in refunds] == [str(each.id) for each in charges]
    forbidden = [each for each in await order.recorded(order.stream) if isinstance(each.event, DispatchForbidden)]
    assert [each.metadata.command_id for each in refunds] == [step_id(each, "refund") for each in forbidden]
    assert len(refunds) == ("refund" in case.undone)
    if case.missing != "an account":
        balance = money(SHOPS[case.missing].get("balance", "40.00"))
        account = accounts.fold([each.event for each in told])
        assert account == Account("ada", balance=balance, credit_limit=money("0.00"))


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_whatever_fails_and_whenever_it_is_cancelled_all_is_undone_once(eventstore_uri: str, every: int) -> None:
    """Which undoing fails and how is tried with all that fails before; the long form has all of it with all."""

    async def run() -> None:
        async with connected(eventstore_uri) as client:
            handler, turn = patient_handler(client), asyncio.Semaphore(4)

            async def told(case: Case) -> None:
                async with turn:
                    order = LiveOrder(handler)
                    await undo(order, case)
                    await all_is_as_it_was(order, case)

            await asyncio.gather(*map(told, cases()[::every]))

    number = len(cases())
    assert number == 203
    asyncio.run(run())
