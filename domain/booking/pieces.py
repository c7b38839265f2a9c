"""What a trip is booked of, day by day and night by night, and what is asked of each of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, TypeAlias, assert_never

from domain.booking.events import BookingStarted, PartName
from domain.trips.car import ConfirmCars, ReleaseCars, ReserveCars
from domain.trips.flight import ConfirmSeats, ReleaseSeats, ReserveSeats
from domain.trips.part import Confirm, Release, Reserve
from domain.trips.room import ConfirmRooms, ReleaseRooms, ReserveRooms

PARTS: Final[tuple[PartName, ...]] = ("car", "room", "flight")
"""In the order in which they are reserved."""
Verb: TypeAlias = Literal["reserve", "confirm", "release"]
COMMANDS: Final[Mapping[Verb, Mapping[PartName, type[Reserve | Confirm | Release]]]] = {
    "reserve": {"car": ReserveCars, "room": ReserveRooms, "flight": ReserveSeats},
    "confirm": {"car": ConfirmCars, "room": ConfirmRooms, "flight": ConfirmSeats},
    "release": {"car": ReleaseCars, "room": ReleaseRooms, "flight": ReleaseSeats},
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One part for one day."""

    part: PartName
    day: date


def pieces_of(trip: BookingStarted, part: PartName) -> tuple[Piece, ...]:
    """A part day by day; nothing where the trip has no such part."""
    return tuple(Piece(part, day) for day in _days(trip, part))


def _days(trip: BookingStarted, part: PartName) -> list[date]:
    match part:
        case "car":
            return [] if trip.car is None else _from(trip.car.from_day, trip.car.days)
        case "room":
            return [] if trip.room is None else _from(trip.room.from_night, trip.room.nights)
        case "flight":
            return [] if trip.flight is None else [trip.flight.departure]
        case _:
            assert_never(part)


def _from(first: date, number: int) -> list[date]:
    return [first + timedelta(days=days) for days in range(number)]


def command_for(verb: Verb, trip: BookingStarted, piece: Piece) -> Reserve | Confirm | Release:
    """What is asked of the piece's aggregate on behalf of the trip."""
    key, quantity = _wanted(trip, piece)
    command: Any = COMMANDS[verb][piece.part]
    wanted: Reserve | Confirm | Release = command(
        **key, trip_id=trip.trip_id, **({"quantity": quantity} if verb == "reserve" else {})
    )
    return wanted


def _wanted(trip: BookingStarted, piece: Piece) -> tuple[dict[str, Any], int]:
    """The members that name the piece's aggregate, and how many are wanted of it."""
    match piece.part:
        case "car":
            assert trip.car is not None
            return {"station": trip.car.station, "car_class": trip.car.car_class, "day": piece.day}, 1
        case "room":
            assert trip.room is not None
            return {
                "hotel": trip.room.hotel,
                "room_type": trip.room.room_type,
                "night": piece.day,
            }, trip.room.rooms
        case "flight":
            assert trip.flight is not None
            return {
                "flight": trip.flight.flight,
                "cabin": trip.flight.cabin,
                "departure": piece.day,
            }, trip.flight.seats
        case _:
            assert_never(piece.part)
