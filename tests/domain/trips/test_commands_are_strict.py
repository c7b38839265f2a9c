"""Commands refuse what no day, trip, price or number can be, and name one stream for each natural key."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from pydantic import ValidationError

from domain.trips.car import OfferCars, ReserveCars, cars_id
from domain.trips.flight import ReserveSeats, seats_id
from domain.trips.room import ReserveRooms, rooms_id
from tests.domain.trips.parts import CAR, FLIGHT, ROOM, TRIP

DAY: Final = date(2026, 3, 1)
IMPROPER: Final[list[tuple[str, Any]]] = [
    ("station", "lisbon/airport"),
    ("car_class", ""),
    ("day", "2026-03-01"),
    ("day", datetime(2026, 3, 1, 12, 0)),
    ("capacity", -1),
    ("capacity", 10_001),
    ("capacity", "3"),
    ("price", Decimal("-0.01")),
    ("price", "40.00"),
    ("currency", "CHF"),
]


@pytest.mark.parametrize(("member", "value"), IMPROPER)
def test_an_offer_is_for_a_day_and_a_number_and_a_price(member: str, value: Any) -> None:
    proper: dict[str, Any] = {**CAR.key, "capacity": 3, "price": Decimal("40.00"), "currency": "EUR"}
    assert OfferCars(**proper).capacity == 3
    with pytest.raises(ValidationError):
        OfferCars(**{**proper, member: value})


@pytest.mark.parametrize(("member", "value"), [("trip_id", "t-1"), ("quantity", 0), ("quantity", True)])
def test_a_reservation_is_for_a_trip_and_a_number(member: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        ReserveCars(**{**CAR.key, "trip_id": TRIP, "quantity": 1, member: value})
    with pytest.raises(ValidationError):
        ReserveRooms(**{**ROOM.key, "trip_id": TRIP, "quantity": 1, member: value})


@pytest.mark.parametrize("flight", ["TP0571", "tp571", "571", "TP12345", "TP", "TP571 "])
def test_a_flight_number_has_one_spelling(flight: str) -> None:
    with pytest.raises(ValidationError):
        ReserveSeats(**{**FLIGHT.key, "trip_id": TRIP, "quantity": 1, "flight": flight})


def test_each_natural_key_has_one_stream_whose_id_is_derived_from_it() -> None:
    assert CAR.reserve(1).aggregate_id == cars_id("lisbon-airport", "compact", DAY)
    assert ROOM.reserve(1).aggregate_id == rooms_id("lisbon-central", "double", DAY)
    assert FLIGHT.reserve(1).aggregate_id == seats_id("TP571", "economy", DAY)
    ids = {
        cars_id("lisbon-airport", "compact", DAY),
        cars_id("lisbon-airport", "compact", date(2026, 3, 2)),
        cars_id("lisbon-airport", "van", DAY),
        cars_id("porto", "compact", DAY),
        rooms_id("lisbon-airport", "compact", DAY),
        seats_id("lisbon-airport", "compact", DAY),
    }
    assert len(ids) == 6
    assert cars_id("lisbon-airport", "compact", DAY) == "744b4c4c-32f5-5b14-96fd-4955789c6790"
    assert rooms_id("lisbon-central", "double", DAY) == "0b1513cc-ce9e-5fe2-b57a-6246b9783e6d"
    assert seats_id("TP571", "economy", DAY) == "00a9b461-c55a-5695-bdcc-2423dfaea309"
