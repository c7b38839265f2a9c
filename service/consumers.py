"""What runs: every decider with its snapshots, read model and saga of the service, and who decides which command."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final, get_args

from domain.accounts import account
from domain.booking import progress
from domain.booking import saga as booking
from domain.decider import Decider
from domain.engine_events import ENGINE_EVENTS
from domain.fulfilment import saga as fulfilment
from domain.fulfilment.state import Fulfilment, NotStarted
from domain.message import Command, Event
from domain.ordering import order
from domain.saga import Saga
from domain.stock import stock
from domain.trips import car, flight, room, trip
from domain.trips.allotment import Allotment
from domain.trips.trip_commands import TripCommand
from domain.trips.trip_state import NoTrip, Trip
from infrastructure.sagas.instance import snapshot_rule
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.snapshots.state import dump_state, load_state
from projections import (
    account_balance,
    account_statement,
    all_accounts,
    all_orders,
    all_stock,
    average_basket,
    car_offers,
    conversion,
    flight_offers,
    fulfilment_time,
    notifications,
    order_summary,
    orders_by_customer,
    orders_by_status,
    revenue_by_day,
    room_offers,
    saga_status,
    saga_timers,
    stock_levels,
    top_products,
    trip_summary,
    trips_by_customer,
)
from projections.projection import Projection
from projections.saga_instance import StateForm
from service.settings import Settings

DECIDERS: Final[tuple[Decider[Any, Any, Any], ...]] = (
    order.decider,
    stock.decider,
    account.decider,
    car.decider,
    room.decider,
    flight.decider,
    trip.decider,
)


def sagas_of(settings: Settings) -> tuple[Saga[Any, Any], ...]:
    """All sagas, with the times that a deployment may choose."""
    confirmation = timedelta(seconds=settings.flight_confirmation_seconds)
    return (fulfilment.saga, booking.booking_within(confirmation))


SAGAS: Final = sagas_of(Settings())
"""The same with the times by default, for all that asks what there is."""

SNAPSHOTS: Final[tuple[SnapshotRule, ...]] = (
    SnapshotRule(order.decider.category, (order.NoOrder, order.Order)),
    SnapshotRule(stock.decider.category, (stock.Stock,)),
    SnapshotRule(account.decider.category, (account.NoAccount, account.Account)),
    SnapshotRule(car.decider.category, (Allotment,)),
    SnapshotRule(room.decider.category, (Allotment,)),
    SnapshotRule(flight.decider.category, (Allotment,)),
    SnapshotRule(trip.decider.category, (NoTrip, Trip)),
    snapshot_rule(fulfilment.saga, (NotStarted, Fulfilment)),
    snapshot_rule(booking.saga, (progress.NotStarted, progress.Booking)),
)

TIMERS: Final = saga_timers.timer_projections(SAGAS)
SAGA_STATUS: Final = saga_status.status_projections(
    SAGAS, {rule.category: StateForm(dump_state, partial(load_state, kinds=rule.kinds)) for rule in SNAPSHOTS}
)

PROJECTIONS: Final[tuple[Projection[Any], ...]] = (
    order_summary.projection,
    orders_by_customer.projection,
    stock_levels.projection,
    account_balance.projection,
    account_statement.projection,
    all_orders.projection,
    all_accounts.projection,
    all_stock.projection,
    revenue_by_day.projection,
    orders_by_status.projection,
    average_basket.projection,
    top_products.projection,
    conversion.projection,
    fulfilment_time.projection,
    car_offers.projection,
    room_offers.projection,
    flight_offers.projection,
    trip_summary.projection,
    trips_by_customer.projection,
    notifications.projection,
    *TIMERS,
    *SAGA_STATUS,
)

EVENTS: Final[tuple[type[Event], ...]] = (
    *(event for decider in DECIDERS for event in decider.events),
    *(event for saga in SAGAS for event in saga.events),
    *ENGINE_EVENTS,
)

_ROUTES: Final[Mapping[type[Command], Decider[Any, Any, Any]]] = {
    **dict.fromkeys(get_args(order.OrderCommand), order.decider),
    **dict.fromkeys(get_args(stock.StockCommand), stock.decider),
    **dict.fromkeys(get_args(account.AccountCommand), account.decider),
    **dict.fromkeys(get_args(car.CarCommand), car.decider),
    **dict.fromkeys(get_args(room.RoomCommand), room.decider),
    **dict.fromkeys(get_args(flight.FlightCommand), flight.decider),
    **dict.fromkeys(get_args(TripCommand), trip.decider),
}


COMMANDS: Final = tuple(_ROUTES)


def route(command: Command) -> Decider[Any, Any, Any]:
    """Who decides this command, by its type."""
    return _ROUTES[type(command)]


def groups_of(saga: Saga[Any, Any], namespace: str) -> str:
    """How the names of the groups begin whose consumers share a saga's messages: one for each filter that it had."""
    return f"{namespace}-{saga.category}"
