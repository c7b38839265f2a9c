"""What runs: every decider with its snapshots, read model and saga of the service, and who decides which command."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from domain.accounts import account
from domain.decider import Decider
from domain.fulfilment import saga as fulfilment
from domain.message import Command, Event
from domain.ordering import order
from domain.saga import Saga
from domain.stock import stock
from domain.trips import car, flight, room
from domain.trips.allotment import Allotment
from infrastructure.snapshots.rule import SnapshotRule
from projections import account_balance, account_statement, order_summary, orders_by_customer, stock_levels
from projections.projection import Projection

DECIDERS: Final[tuple[Decider[Any, Any, Any], ...]] = (
    order.decider,
    stock.decider,
    account.decider,
    car.decider,
    room.decider,
    flight.decider,
)

SNAPSHOTS: Final[tuple[SnapshotRule, ...]] = (
    SnapshotRule(order.decider.category, (order.NoOrder, order.Order)),
    SnapshotRule(stock.decider.category, (stock.Stock,)),
    SnapshotRule(account.decider.category, (account.NoAccount, account.Account)),
    SnapshotRule(car.decider.category, (Allotment,)),
    SnapshotRule(room.decider.category, (Allotment,)),
    SnapshotRule(flight.decider.category, (Allotment,)),
)

PROJECTIONS: Final[tuple[Projection[Any], ...]] = (
    order_summary.projection,
    orders_by_customer.projection,
    stock_levels.projection,
    account_balance.projection,
    account_statement.projection,
)

SAGAS: Final[tuple[Saga[Any, Any], ...]] = (fulfilment.saga,)

EVENTS: Final[tuple[type[Event], ...]] = (
    *(event for decider in DECIDERS for event in decider.events),
    *(event for saga in SAGAS for event in saga.events),
)

_ROUTES: Final[Mapping[type[Command], Decider[Any, Any, Any]]] = {
    **dict.fromkeys(get_args(order.OrderCommand), order.decider),
    **dict.fromkeys(get_args(stock.StockCommand), stock.decider),
    **dict.fromkeys(get_args(account.AccountCommand), account.decider),
    **dict.fromkeys(get_args(car.CarCommand), car.decider),
    **dict.fromkeys(get_args(room.RoomCommand), room.decider),
    **dict.fromkeys(get_args(flight.FlightCommand), flight.decider),
}


def route(command: Command) -> Decider[Any, Any, Any]:
    """Who decides this command, by its type."""
    return _ROUTES[type(command)]


def group_of(saga: Saga[Any, Any], namespace: str) -> str:
    """The group of consumers that share a saga's messages."""
    return f"{namespace}-{saga.category}"
