"""What must be true of an aggregate after any history: reckoned from the events, never by the code under test.

The life of an aggregate, or of one reservation in it, is a regular expression over the initials given to its events.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from domain.accounts.account import (
    Account,
    AccountCharged,
    AccountOpened,
    ChargeRefunded,
    MoneyDeposited,
    MoneyWithdrawn,
    NoAccount,
)
from domain.message import Event
from domain.ordering.events import (
    CancellationRequested,
    ItemAdded,
    ItemRemoved,
    Line,
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderShipped,
)
from domain.ordering.order import MOST_LINES, NoOrder, Order
from domain.stock.stock import (
    ReservationConsumed,
    ReservationReleased,
    Stock,
    StockDamaged,
    StockReceived,
    StockReserved,
)
from domain.trips.allotment import Allotment, Hold
from domain.trips.trip_events import (
    BookingAgreed,
    BookingBegun,
    FlightConfirmed,
    FlightDeadlinePassed,
    FlightDeclined,
    FlightWordAwaited,
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
    TripRequested,
)
from domain.trips.trip_state import NoTrip, Trip
from tests.domain.trips.parts import Part

Initials = Mapping[type[Event], str]
RESERVATION: Final[Initials] = {StockReserved: "h", ReservationReleased: "r", ReservationConsumed: "c"}
ORDER: Final[Initials] = {
    OrderCreated: "n",
    ItemAdded: "a",
    ItemRemoved: "r",
    OrderConfirmed: "c",
    CancellationRequested: "w",
    OrderShipped: "s",
    OrderCancelled: "x",
}

TRIP: Final[Initials] = {
    TripRequested: "n",
    BookingBegun: "b",
    FlightWordAwaited: "a",
    FlightConfirmed: "y",
    FlightDeclined: "o",
    FlightDeadlinePassed: "l",
    TripCancellationRequested: "w",
    BookingAgreed: "g",
    TripBooked: "k",
    TripCancelled: "x",
}


def life(initials: Initials, events: Iterable[Event]) -> str:
    return "".join(initials.get(type(event), "") for event in events)


def total(events: Iterable[Any], *kinds: type[Event]) -> int:
    return sum(event.quantity for event in only(events, *kinds))


def only(events: Iterable[Any], *kinds: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kinds)]


def by(member: str, events: Sequence[Any]) -> dict[str, list[Any]]:
    """The events that have this member, by its value."""
    keys = {getattr(event, member) for event in events if hasattr(event, member)}
    return {key: [event for event in events if getattr(event, member, None) == key] for key in keys}


def stock_adds_up(events: Sequence[Any], stock: Stock) -> None:
    """No piece is held twice or lost, and a reservation is released or consumed, once."""
    gone = total(events, StockDamaged, ReservationConsumed)
    assert stock.on_hand == total(events, StockReceived) - gone
    assert 0 <= stock.available <= stock.on_hand
    orders = by("order_id", events)
    assert all(re.fullmatch("(h[rc])*h?", life(RESERVATION, own)) for own in orders.values())
    ended = (ReservationReleased, ReservationConsumed)
    held = {order_id: total(own, StockReserved) - total(own, *ended) for order_id, own in orders.items()}
    assert stock.held == {order_id: quantity for order_id, quantity in held.items() if quantity}


def account_adds_up(events: Sequence[Any], account: NoAccount | Account) -> None:
    """Opened once and before all else, never below the limit, and not a cent made or lost."""
    moved = (MoneyDeposited, ChargeRefunded, MoneyWithdrawn, AccountCharged)
    effects = only(events, AccountOpened, *moved)
    if isinstance(account, NoAccount):
        assert effects == []
        return
    opened, *entries = effects
    assert [type(effect) is AccountOpened for effect in effects] == [True] + [False] * len(entries)
    assert account.credit_limit == opened.credit_limit
    assert {entry.amount.currency for entry in entries} <= {opened.currency}
    paid_in = (MoneyDeposited, ChargeRefunded)
    amounts = [entry.amount.amount if isinstance(entry, paid_in) else -entry.amount.amount for entry in entries]
    assert account.balance.amount == sum(amounts, Decimal(0)) >= -opened.credit_limit.amount


def order_lives_once(events: Sequence[Any], order: NoOrder | Order) -> None:
    """Created, filled, confirmed, and shipped or cancelled, in no other way, with every line counted once."""
    told = life(ORDER, events)
    if isinstance(order, NoOrder):
        assert set(told) <= {"x"}
        return
    assert re.fullmatch("x*n[ar]*(x|c(s|w?x?))?", told)
    own = events[[type(event) for event in events].index(OrderCreated) :]
    lines = remaining(own)
    assert order.lines == tuple(lines)
    assert len(lines) <= MOST_LINES
    for confirmed in only(own, OrderConfirmed):
        assert confirmed.lines == order.lines != ()
        assert confirmed.total.amount == sum(line.unit_price.amount * line.quantity for line in lines)
    reasons = [event.reason for event in only(own, CancellationRequested, OrderCancelled)]
    assert reasons in ([], [order.cause], [order.cause, order.cause])


def remaining(events: Sequence[Any]) -> list[Line]:
    """The lines that are left, after a look at the numbers: counted up, and none used again."""
    added = [*events[0].lines, *(event.line for event in only(events, ItemAdded))]
    assert [line.line for line in added] == list(range(1, len(added) + 1))
    removed = [event.line for event in only(events, ItemRemoved)]
    assert len(set(removed)) == len(removed)
    return [line for line in added if line.line not in removed]


def keeps_within_its_offer(part: Part) -> Callable[[Sequence[Any], Allotment], None]:
    """Never more reserved than is offered, at the price of the moment; a reservation ends once."""
    kinds = part.events
    initials: Initials = {kinds["reserved"]: "h", kinds["confirmed"]: "c", kinds["released"]: "r"}

    def check(events: Sequence[Any], allotment: Allotment) -> None:
        trips = by("trip_id", events)
        lives = {trip_id: life(initials, own) for trip_id, own in trips.items()}
        assert all(re.fullmatch("(hr)*(hc?)?", lived) for lived in lives.values())
        held = {
            trip_id: Hold(quantity=last(own, kinds["reserved"]).quantity, confirmed=lives[trip_id].endswith("c"))
            for trip_id, own in trips.items()
            if lives[trip_id].endswith(("h", "c"))
        }
        assert allotment.holds == held
        assert 0 <= allotment.available <= allotment.capacity
        priced(events)

    reserved: type[Any] = kinds["reserved"]

    def priced(events: Sequence[Any]) -> None:
        for number, event in enumerate(events):
            if type(event) is reserved:
                assert event.price == last(events[:number], kinds["offered"]).price.times(event.quantity)

    return check


def trip_ends_once(events: Sequence[Any], trip: NoTrip | Trip) -> None:
    """One word or its deadline at most; agreed on after a yes alone, and neither before nor after it is given up."""
    told = life(TRIP, events)
    if isinstance(trip, NoTrip):
        assert told == ""
        return
    assert re.fullmatch("n[yo]?(x|b[yoawl]*(x|gk?)?)?", told)
    assert all(told.count(once) <= 1 for once in "nbawgkx")
    assert sum(told.count(word) for word in "yol") <= 1
    assert "l" not in told or "a" in told[: told.index("l")]
    if "g" in told:
        assert "w" not in told
        assert not trip.has_flight or "y" in told[: told.index("g")]
    reasons = [event.reason for event in only(events, TripCancellationRequested, TripCancelled)]
    assert reasons in ([], [trip.cause], [trip.cause, trip.cause])


def last(events: Sequence[Any], kind: type[Event]) -> Any:
    return only(events, kind)[-1]
