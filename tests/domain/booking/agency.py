"""A travel agency in memory: bookings that ask the real deciders, and trips to begin from."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, get_args

from domain.booking.events import BookingStarted
from domain.booking.saga import saga
from domain.decider import Decider
from domain.message import Command
from domain.money import Currency
from domain.trips import car, flight, room, trip
from domain.trips.car import OfferCars
from domain.trips.flight import OfferSeats
from domain.trips.part import Offer
from domain.trips.room import OfferRooms
from domain.trips.trip_commands import RequestTrip, TripCommand
from tests.domain.simulation import Simulation
from tests.domain.trips import trips
from tests.domain.trips.parts import TRIP

DECIDERS: Final[dict[type[Command], Decider[Any, Any, Any]]] = {
    **dict.fromkeys(get_args(car.CarCommand), car.decider),
    **dict.fromkeys(get_args(room.RoomCommand), room.decider),
    **dict.fromkeys(get_args(flight.FlightCommand), flight.decider),
    **dict.fromkeys(get_args(TripCommand), trip.decider),
}
DAYS: Final = tuple(trips.DAY + timedelta(days=number) for number in range(3))
NIGHTS: Final = DAYS[:2]
STARTED: Final = BookingStarted(trip_id=TRIP, car=trips.CAR, room=trips.ROOM, flight=trips.SEATS)


class Agency(Simulation):
    """Cars, rooms, seats and trips; an instance is named by its trip."""

    def __init__(self) -> None:
        super().__init__(saga, DECIDERS)

    def offer_cars(self, days: Sequence[date], capacity: int = 1) -> None:
        for day in days:
            self._offer(OfferCars, capacity, "40.00", station="OPO", car_class="compact", day=day)

    def offer_rooms(self, nights: Sequence[date], capacity: int = 1) -> None:
        for night in nights:
            self._offer(OfferRooms, capacity, "95.00", hotel="porto-central", room_type="double", night=night)

    def offer_seats(self, capacity: int = 2) -> None:
        key = {"flight": "TP571", "cabin": "economy", "departure": trips.DAY}
        self._offer(OfferSeats, capacity, "4900", currency="JPY", **key)

    def _offer(
        self, kind: type[Offer], capacity: int, price: str, *, currency: Currency = "EUR", **key: object
    ) -> None:
        offer: Any = kind
        self.send(offer(**key, capacity=capacity, price=Decimal(price), currency=currency))


def agency(*parts: str, cars: Sequence[date] = DAYS, rooms: Sequence[date] = NIGHTS, seats: int = 2) -> Agency:
    """An agency with a requested trip of these parts, all by default, and as much on offer for each day as it needs."""
    built = Agency()
    built.offer_cars(cars)
    built.offer_rooms(rooms)
    built.offer_seats(seats)
    wanted = parts or ("car", "room", "flight")
    built.send(RequestTrip(trip_id=TRIP, customer_id="ada", **{part: getattr(trips.REQUEST, part) for part in wanted}))
    return built
