"""The three parts of a trip, so that each of their rules is tested of each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest

from domain.decider import Decider
from domain.message import Command, Event
from domain.money import Currency
from domain.trips import car, flight, room
from tests.domain.values import money, numbered

TRIP: Final = numbered(20)
OTHER_TRIP: Final = numbered(21)
FARE: Final = "40.00"


@dataclass(frozen=True)
class Part:
    """What is said to one part of a trip, and what it answers, by the words that all three have."""

    decider: Decider[Any, Any, Any]
    key: Mapping[str, Any]
    commands: Mapping[str, type[Command]]
    events: Mapping[str, type[Event]]

    def offer(self, capacity: int, price: str = FARE, currency: Currency = "EUR") -> Command:
        return self.command("offer", capacity=capacity, price=Decimal(price), currency=currency)

    def introduced(self) -> Event:
        return self.event("introduced")

    def offered(self, capacity: int, price: str = FARE, currency: Currency = "EUR") -> Event:
        return self.event("offered", capacity=capacity, price=money(price, currency))

    def reserve(self, quantity: int, trip_id: str = TRIP) -> Command:
        return self.command("reserve", trip_id=trip_id, quantity=quantity)

    def reserved(self, quantity: int, price: str, trip_id: str = TRIP) -> Event:
        return self.event("reserved", trip_id=trip_id, quantity=quantity, price=money(price))

    def not_reserved(self, quantity: int, available: int, reason: str, trip_id: str = TRIP) -> Event:
        return self.event("not reserved", trip_id=trip_id, quantity=quantity, available=available, reason=reason)

    def confirm(self, trip_id: str = TRIP) -> Command:
        return self.command("confirm", trip_id=trip_id)

    def confirmed(self, quantity: int, trip_id: str = TRIP) -> Event:
        return self.event("confirmed", trip_id=trip_id, quantity=quantity)

    def not_confirmed(self, reason: str, trip_id: str = TRIP) -> Event:
        return self.event("not confirmed", trip_id=trip_id, reason=reason)

    def release(self, trip_id: str = TRIP) -> Command:
        return self.command("release", trip_id=trip_id)

    def released(self, quantity: int, trip_id: str = TRIP) -> Event:
        return self.event("released", trip_id=trip_id, quantity=quantity)

    def not_released(self, reason: str, trip_id: str = TRIP) -> Event:
        return self.event("not released", trip_id=trip_id, reason=reason)

    def command(self, word: str, **members: Any) -> Command:
        return self.commands[word](**{**self.key, **members})

    def event(self, word: str, **members: Any) -> Event:
        return self.events[word](**{**self.key, **members})


COMMANDS: Final = ("offer", "reserve", "confirm", "release")
EVENTS: Final = (
    "introduced",
    "offered",
    "reserved",
    "not reserved",
    "confirmed",
    "not confirmed",
    "released",
    "not released",
)
CAR: Final = Part(
    decider=car.decider,
    key={"station": "lisbon-airport", "car_class": "compact", "day": date(2026, 3, 1)},
    commands=dict(zip(COMMANDS, (car.OfferCars, car.ReserveCars, car.ConfirmCars, car.ReleaseCars), strict=True)),
    events=dict(zip(EVENTS, car.decider.events, strict=True)),
)
ROOM: Final = Part(
    decider=room.decider,
    key={"hotel": "lisbon-central", "room_type": "double", "night": date(2026, 3, 1)},
    commands=dict(
        zip(COMMANDS, (room.OfferRooms, room.ReserveRooms, room.ConfirmRooms, room.ReleaseRooms), strict=True)
    ),
    events=dict(zip(EVENTS, room.decider.events, strict=True)),
)
FLIGHT: Final = Part(
    decider=flight.decider,
    key={"flight": "TP571", "cabin": "economy", "departure": date(2026, 3, 1)},
    commands=dict(
        zip(COMMANDS, (flight.OfferSeats, flight.ReserveSeats, flight.ConfirmSeats, flight.ReleaseSeats), strict=True)
    ),
    events=dict(zip(EVENTS, flight.decider.events, strict=True)),
)
of_each_part: Final = pytest.mark.parametrize("part", [CAR, ROOM, FLIGHT], ids=lambda part: part.decider.category)
