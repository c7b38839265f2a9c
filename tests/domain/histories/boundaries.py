"""Every decider with what is true of all its histories: a new one is covered by one more line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from domain.accounts import account
from domain.decider import Decider
from domain.message import Command
from domain.ordering import order
from domain.stock import stock
from domain.trips import trip
from domain.trips.trip_commands import (
    AgreeToBook,
    AwaitFlightWord,
    BeginBooking,
    BookTrip,
    PassFlightDeadline,
    RequestTrip,
)
from tests.domain.histories.invariants import (
    account_adds_up,
    keeps_within_its_offer,
    order_lives_once,
    stock_adds_up,
    trip_ends_once,
)
from tests.domain.trips.parts import CAR, FLIGHT, ROOM


@dataclass(frozen=True)
class Boundary:
    """A decider, what its histories open with, the check of its invariants, and the commands that mean more each time.

    The check is given all events so far and the state that they lead to. `in_order` are commands that lead further only
    one after the other: random alone, they hardly ever come to the end.
    """

    decider: Decider[Any, Any, Any]
    opening: type[Command]
    check: Callable[[Sequence[Any], Any], None]
    repeatable: tuple[type[Command], ...] = ()
    in_order: tuple[type[Command], ...] = ()


PAYMENTS: Final = (account.Deposit, account.Withdraw, account.ChargeAccount, account.RefundCharge)
BOOKING: Final = (BeginBooking, AwaitFlightWord, PassFlightDeadline, AgreeToBook, BookTrip)
BOUNDARIES: Final = (
    Boundary(order.decider, order.CreateOrder, order_lives_once, repeatable=(order.AddItem,)),
    Boundary(stock.decider, stock.ReceiveStock, stock_adds_up, repeatable=(stock.ReceiveStock, stock.WriteOffDamage)),
    Boundary(account.decider, account.OpenAccount, account_adds_up, repeatable=PAYMENTS),
    Boundary(CAR.decider, CAR.commands["offer"], keeps_within_its_offer(CAR)),
    Boundary(ROOM.decider, ROOM.commands["offer"], keeps_within_its_offer(ROOM)),
    Boundary(FLIGHT.decider, FLIGHT.commands["offer"], keeps_within_its_offer(FLIGHT)),
    Boundary(trip.decider, RequestTrip, trip_ends_once, in_order=BOOKING),
)
of_each_decider: Final = pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda boundary: boundary.decider.category)
