"""An event added by hand is objected to where no decision would have led to it, in words that name what is wrong."""

from datetime import date
from typing import Any, Final

import pytest

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
from domain.ordering.order import NoOrder, Order
from domain.stock.stock import ReservationConsumed, ReservationReleased, SkuRegistered, Stock, StockReserved
from domain.trips.allotment import Allotment, Hold
from domain.trips.car import CarsConfirmed, CarsIntroduced, CarsOffered, CarsReleased, CarsReserved
from domain.trips.trip_events import (
    BookingAgreed,
    BookingBegun,
    FlightConfirmed,
    TripBooked,
    TripCancellationRequested,
    TripCancelled,
    TripRequested,
)
from domain.trips.trip_state import Trip
from service.history.objections import OBJECTIONS
from tests.domain.values import ACCOUNT, ORDER, money, numbered

TRIP: Final = numbered(30)
LINE: Final = Line(line=1, sku="mug", quantity=1, unit_price=money("2.00"))
PENDING: Final = Order("ada", ACCOUNT, "EUR", (LINE,), next_line=2)
EMPTY: Final = Order("ada", ACCOUNT, "EUR", (), next_line=2)
CONFIRMED: Final = Order("ada", ACCOUNT, "EUR", (LINE,), next_line=2, status="confirmed")
RECALLED: Final = Order("ada", ACCOUNT, "EUR", (LINE,), next_line=2, status="confirmed", cause="late")
SHIPPED: Final = Order("ada", ACCOUNT, "EUR", (LINE,), next_line=2, status="shipped")
STOCK: Final = Stock(registered=True, on_hand=5, held={ORDER: 2})
CARS: Final = Allotment(capacity=5, price=money("30.00"), holds={TRIP: Hold(2), "sold": Hold(1, confirmed=True)})
KEY: Final[dict[str, Any]] = {"station": "ber", "car_class": "a", "day": date(2026, 5, 1)}


def confirmed() -> OrderConfirmed:
    return OrderConfirmed(order_id=ORDER, account_id=ACCOUNT, lines=(LINE,), total=money("2.00"), owner_id=None)


def added(number: int, price: Any = None) -> ItemAdded:
    line = Line(line=number, sku="mug", quantity=1, unit_price=price or money("2.00"))
    return ItemAdded(order_id=ORDER, line=line)


@pytest.mark.parametrize(
    ("category", "state", "event", "objection"),
    [
        ("order", PENDING, OrderCreated(
            order_id=ORDER, customer_id="ada", account_id=ACCOUNT, currency="EUR", lines=(LINE,), owner_id=None
        ), "the order was created already"),
        ("order", NoOrder(), confirmed(), "no order was created yet"),
        ("order", NoOrder(), OrderCancelled(order_id=ORDER, reason="late"), None),
        ("order", CONFIRMED, added(2), "the order is confirmed"),
        ("order", PENDING, added(1), "it adds line 1, and the next is 2"),
        ("order", PENDING, added(2, money("2.00", "USD")), "its price is in USD, the order in EUR"),
        ("order", PENDING, added(2), None),
        ("order", PENDING, ItemRemoved(order_id=ORDER, line=2), "the order has no line 2"),
        ("order", EMPTY, confirmed(), "the order has no lines"),
        ("order", PENDING, OrderShipped(order_id=ORDER), "the order is pending"),
        ("order", RECALLED, OrderShipped(order_id=ORDER), "the order is to be cancelled: late"),
        ("order", RECALLED, CancellationRequested(order_id=ORDER, reason="x"), "the order is to be cancelled: late"),
        ("order", SHIPPED, OrderCancelled(order_id=ORDER, reason="late"), "the order is shipped"),
        ("stock", STOCK, SkuRegistered(sku="mug"), "the SKU was registered already"),
        ("stock", STOCK, StockReserved(sku="mug", order_id=ORDER, quantity=1), f"order {ORDER} holds 2 already"),
        ("stock", STOCK, StockReserved(sku="mug", order_id="o", quantity=4), "its quantity is 4, and 3 are available"),
        ("stock", STOCK, StockReserved(sku="mug", order_id="o", quantity=0), "its quantity is 0"),
        ("stock", STOCK, ReservationReleased(sku="mug", order_id="o", quantity=2), "order o holds nothing"),
        (
            "stock", STOCK, ReservationConsumed(sku="mug", order_id=ORDER, quantity=1),
            f"its quantity is 1, and order {ORDER} holds 2",
        ),
        ("car", CARS, CarsIntroduced(**KEY), "it is on offer already"),
        ("car", CARS, CarsOffered(**KEY, capacity=2, price=money("1.00")), "its capacity is 2, and 3 are reserved"),
        (
            "car", Allotment(), CarsReserved(**KEY, trip_id=TRIP, quantity=1, price=money("1.00")),
            "nothing was offered yet",
        ),
        (
            "car", CARS, CarsReserved(**KEY, trip_id=TRIP, quantity=1, price=money("1.00")),
            f"trip {TRIP} holds 2 already",
        ),
        (
            "car", CARS, CarsReserved(**KEY, trip_id="t", quantity=3, price=money("1.00")),
            "its quantity is 3, and 2 are available",
        ),
        ("car", CARS, CarsReserved(**KEY, trip_id="t", quantity=0, price=money("1.00")), "its quantity is 0"),
        ("car", CARS, CarsConfirmed(**KEY, trip_id="t", quantity=1), "trip t holds nothing"),
        ("car", CARS, CarsReleased(**KEY, trip_id="sold", quantity=1), "what trip sold holds is confirmed"),
        ("car", CARS, CarsReleased(**KEY, trip_id=TRIP, quantity=1), f"its quantity is 1, and trip {TRIP} holds 2"),
        (
            "trip", Trip("ada", has_flight=False),
            TripRequested(trip_id=TRIP, customer_id="ada", car=None, room=None, flight=None),
            "the trip was requested already",
        ),
        ("trip", Trip("ada", has_flight=False, status="begun"), BookingBegun(trip_id=TRIP), "the trip is begun"),
        ("trip", Trip("ada", has_flight=False), FlightConfirmed(trip_id=TRIP), "the trip has no flight"),
        (
            "trip", Trip("ada", has_flight=True, word="declined"), FlightConfirmed(trip_id=TRIP),
            "the flight's answer is there: declined",
        ),
        (
            "trip", Trip("ada", has_flight=True, status="awaiting"), BookingAgreed(trip_id=TRIP),
            "the flight is not confirmed",
        ),
        (
            "trip", Trip("ada", has_flight=False, status="begun", cause="late"),
            TripCancellationRequested(trip_id=TRIP, reason="x"), "the trip is to be cancelled: late",
        ),
        ("trip", Trip("ada", has_flight=False), TripBooked(trip_id=TRIP, total=()), "the trip is requested"),
        (
            "trip", Trip("ada", has_flight=False, status="agreed"), TripCancelled(trip_id=TRIP, reason="x", total=()),
            "the trip is agreed",
        ),
    ],
)  # fmt: skip
def test_what_contradicts_the_state_is_named(category: str, state: Any, event: Any, objection: str | None) -> None:
    assert OBJECTIONS[category](state, event) == objection
