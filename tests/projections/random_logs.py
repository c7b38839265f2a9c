"""Random logs of a category: commands to several aggregates by turns, and what their decider makes of them; of a saga
whatever its streams may hold, in any order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import product, zip_longest
from typing import Any, Final

from hypothesis import strategies as st

from domain.accounts.account import ChargeAccount, Deposit, OpenAccount, RefundCharge, Withdraw
from domain.decider import Decider
from domain.engine_events import ENGINE_EVENTS
from domain.message import Command, Event
from domain.money import Currency, Money
from domain.ordering.order import (
    AddItem,
    CancelOrder,
    ConfirmOrder,
    CreateOrder,
    Item,
    RemoveItem,
    RequestCancellation,
    ShipOrder,
)
from domain.stock.stock import ConsumeReservation, ReceiveStock, ReleaseReservation, ReserveStock, WriteOffDamage
from domain.trips.trip_commands import (
    AgreeToBook,
    AwaitFlightWord,
    BeginBooking,
    BookTrip,
    CancelTrip,
    ConfirmFlight,
    DeclineFlight,
    PassFlightDeadline,
    RequestTrip,
    RequestTripCancellation,
    WantedCar,
    WantedSeats,
)
from service.consumers import DECIDERS, SAGAS
from tests.domain.histories.boundaries import BOUNDARIES
from tests.domain.histories.histories import commands, decided, folded
from tests.domain.values import money, numbered
from tests.infrastructure.eventstore.samples import CODEC, record
from tests.support.log import Log

AGGREGATES: Final = 4
CURRENCIES: Final[tuple[Currency, ...]] = ("EUR", "JPY")
_SAGAS: Final = {saga.category: saga for saga in SAGAS}
NAMES: Final = ("ada", "bob", "cy")
PRICE: Final = Decimal(7)
DAY: Final = date(2026, 7, 1)


def logs(category: str) -> st.SearchStrategy[Log]:
    """Each aggregate is begun by the first of its commands, most of the time."""
    if category in _SAGAS:
        held = [(numbered(number), event) for number in range(AGGREGATES) for event in _recorded(category)]
        return st.lists(st.sampled_from(held), min_size=20, max_size=40)
    if category not in _COMMANDS:
        boundary = next(each for each in BOUNDARIES if each.decider.category == category)
        sent = [commands(boundary) for _ in range(AGGREGATES)]
        return st.tuples(*sent).map(lambda each: _log(boundary.decider, _by_turns(each)))
    choices = list(product(range(AGGREGATES), range(len(_sent(category, 0)))))
    return st.lists(st.sampled_from(choices), min_size=20, max_size=40).map(
        lambda chosen: _log(decider_of(category), _commands(category, chosen))
    )


def events_of(category: str) -> Sequence[type[Event]]:
    """All that streams of this category may hold."""
    return (*_SAGAS[category].events, *ENGINE_EVENTS) if category in _SAGAS else decider_of(category).events


@cache
def _recorded(category: str) -> Sequence[Event]:
    names = [f"{event.stored_name}.{event.stored_version}" for event in events_of(category)]
    return [recorded.event for name in names for recorded in CODEC.events_in(record(name))]


def decider_of(category: str) -> Decider[Any, Any, Any]:
    [found] = [each for each in DECIDERS if each.category == category]
    return found


def _by_turns(sent: Sequence[Sequence[Command]]) -> Iterator[Command]:
    """The commands of each aggregate in their order, one of each after the other."""
    return (command for turn in zip_longest(*sent) for command in turn if command is not None)


def _log(decider: Decider[Any, Any, Any], sent: Iterable[Command]) -> Log:
    states = dict[str, Any]()
    log = []
    for command in sent:
        state = states.get(command.aggregate_id, decider.initial)
        events = decided(decider, command, state)
        states[command.aggregate_id] = folded(decider, state, events)
        log += [(command.aggregate_id, event) for event in events]
    return log


def _commands(category: str, chosen: Iterable[tuple[int, int]]) -> Iterator[Command]:
    begun = set()
    for aggregate, number in chosen:
        opening, *others = _sent(category, aggregate)
        if aggregate not in begun and number % 4:
            yield opening
        begun.add(aggregate)
        yield (opening, *others)[number]


@cache
def _sent(category: str, aggregate: int) -> Sequence[Command]:
    return _COMMANDS[category](aggregate)


def _to_order(number: int) -> Sequence[Command]:
    order_id, currency = numbered(number), CURRENCIES[number % 2]
    items = tuple(Item(sku=sku, quantity=2, unit_price=PRICE) for sku in ("lamp", "desk"))
    return (
        CreateOrder(
            order_id=order_id,
            customer_id=NAMES[number % 3],
            account_id=numbered(number),
            currency=currency,
            items=items,
        ),
        AddItem(order_id=order_id, sku=f"rug-{number % 2}", quantity=number + 1, unit_price=PRICE),
        RemoveItem(order_id=order_id, line=1),
        RemoveItem(order_id=order_id, line=3),
        *[ConfirmOrder(order_id=order_id)] * 2,
        *[ShipOrder(order_id=order_id)] * 2,
        *[RequestCancellation(order_id=order_id)] * 2,
        CancelOrder(order_id=order_id, reason="out-of-stock"),
    )


def _to_stock(number: int) -> Sequence[Command]:
    sku, first, second = f"sku-{number}", numbered(1), numbered(2)
    return (
        ReceiveStock(sku=sku, quantity=number + 3),
        ReserveStock(sku=sku, order_id=first, quantity=3),
        ReserveStock(sku=sku, order_id=second, quantity=2),
        ReleaseReservation(sku=sku, order_id=first),
        ConsumeReservation(sku=sku, order_id=first),
        ConsumeReservation(sku=sku, order_id=second),
        WriteOffDamage(sku=sku, quantity=1),
    )


def _to_account(number: int) -> Sequence[Command]:
    account_id, currency, order_id = numbered(number), CURRENCIES[number % 2], numbered(9)
    return (
        OpenAccount(account_id=account_id, owner_id=NAMES[number % 3], currency=currency, credit_limit=PRICE),
        Deposit(account_id=account_id, amount=PRICE),
        Withdraw(account_id=account_id, amount=Decimal(3)),
        ChargeAccount(account_id=account_id, order_id=order_id, amount=_of("8", currency)),
        ChargeAccount(account_id=account_id, order_id=numbered(8), amount=_of("0", currency)),
        RefundCharge(account_id=account_id, order_id=order_id, amount=_of("8", currency)),
    )


def _to_trip(number: int) -> Sequence[Command]:
    trip_id = numbered(number)
    seats = WantedSeats(flight="TP571", cabin="economy", departure=DAY, seats=2)
    car = WantedCar(station="lis", car_class="small", from_day=DAY, days=2) if number % 2 else None
    return (
        RequestTrip(trip_id=trip_id, customer_id=NAMES[number % 3], car=car, flight=seats),
        *[BeginBooking(trip_id=trip_id)] * 2,
        *[AwaitFlightWord(trip_id=trip_id)] * 2,
        *[ConfirmFlight(trip_id=trip_id)] * 2,
        DeclineFlight(trip_id=trip_id),
        PassFlightDeadline(trip_id=trip_id),
        *[AgreeToBook(trip_id=trip_id)] * 2,
        *[BookTrip(trip_id=trip_id, total=(money("7.00"),))] * 2,
        RequestTripCancellation(trip_id=trip_id),
        CancelTrip(trip_id=trip_id, reason="flight-declined"),
    )


def _of(digits: str, currency: Currency) -> Money:
    return money(digits if currency == "JPY" else f"{digits}.00", currency)


_COMMANDS: Final[Mapping[str, Callable[[int], Sequence[Command]]]] = {
    "order": _to_order,
    "stock": _to_stock,
    "account": _to_account,
    "trip": _to_trip,
}
